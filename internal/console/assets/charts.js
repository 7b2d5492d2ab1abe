// Draws the last hour (uPlot) from /history.json, which is asked for the newest
// points only. The table below each picture says the same in numbers.
"use strict";
(() => {
  const section = document.querySelector("[data-history]");
  if (!section || !window.uPlot) return;
  const keep = 720; // as many as the process keeps
  const every = 5000;
  const least = 300; // seconds that a picture covers, though the process has just begun
  const times = [];
  const charts = [...section.querySelectorAll("[data-chart]")].map((figure) => ({
    figure, id: figure.dataset.chart, unit: figure.dataset.unit, lines: new Map(), plot: null, drawn: 0,
  }));

  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const dashes = [[], [6, 4], [2, 3], [10, 3, 2, 3]];
  const trimmed = (text) => text.replace(/\.0+$|(\.\d*[1-9])0+$/, "$1");
  const grouped = (value) => Math.round(value).toLocaleString("en-US");

  // As the process writes them: see inUnit in historyjson.go.
  function written(value, unit) {
    if (value === null || value === undefined) return "–";
    if (unit === "/s") {
      if (value === 0) return "0/s";
      if (value < 0.1) return (value * 60).toFixed(1) + "/min";
      return value < 10 ? value.toFixed(1) + "/s" : grouped(value) + "/s";
    }
    if (unit === "s") {
      if (value === 0) return "0 s";
      if (value < 0.001) return "< 1 ms";
      if (value < 1) return (value * 1000).toFixed(0) + " ms";
      if (value < 10) return value.toFixed(1) + " s";
      const s = Math.floor(value), rest = (n, unit) => (n ? " " + n + " " + unit : "");
      if (s < 60) return s + " s";
      if (s < 3600) return Math.floor(s / 60) + " min" + rest(s % 60, "s");
      if (s < 86400) return Math.floor(s / 3600) + " h" + rest(Math.floor((s % 3600) / 60), "min");
      return Math.floor(s / 86400) + " d" + rest(Math.floor((s % 86400) / 3600), "h");
    }
    return unit === "%" ? Math.round(value) + " %" : grouped(value);
  }

  // Beside the axis there is room for little.
  function tick(value, unit) {
    if (unit === "s" && value < 1) return trimmed((value * 1000).toFixed(1)) + " ms";
    if (unit === "s" && value >= 3600) return trimmed((value / 3600).toFixed(1)) + " h";
    if (unit === "s" && value >= 60) return trimmed((value / 60).toFixed(1)) + " min";
    if (value >= 10000) return trimmed((value / 1000).toFixed(1)) + "k" + unit;
    return trimmed(value.toFixed(2)) + (unit === "s" || unit === "%" ? " " : "") + unit;
  }

  function draw(chart) {
    const names = [...chart.lines.keys()];
    const data = [times, ...names.map((name) => chart.lines.get(name))];
    const box = chart.figure.querySelector(".plot");
    if (chart.plot && chart.drawn === names.length) {
      chart.plot.setData(data);
      return;
    }
    chart.plot?.destroy();
    chart.drawn = names.length;
    const axis = { stroke: color("--dim"), grid: { stroke: color("--grid"), width: 1 }, ticks: { stroke: color("--grid"), width: 1 }, font: "11px system-ui, sans-serif" };
    chart.plot = new uPlot({
      width: box.clientWidth, height: box.clientHeight, legend: { show: false }, padding: [8, 8, 0, 0],
      tzDate: (at) => uPlot.tzDate(new Date(at * 1e3), "UTC"),
      cursor: { y: false, points: { show: false }, drag: { setScale: false } },
      scales: { x: { range: () => [Math.min(times[0], times.at(-1) - least), times.at(-1)] }, y: { range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1] } },
      series: [{}, ...names.map((_, i) => ({ stroke: color("--line-" + Math.min(i, 3)), width: 2, dash: dashes[Math.min(i, 3)], points: { show: false } }))],
      axes: [
        { ...axis, values: (_, at) => at.map((t) => new Date(t * 1e3).toISOString().slice(11, 16)) },
        { ...axis, size: 56, values: (_, values) => values.map((v) => tick(v, chart.unit)) },
      ],
    }, data, box);
  }

  function tabulate(chart) {
    const rows = [...chart.lines].map(([name, values]) => {
      const seen = values.filter((v) => v !== null);
      const cells = [values.at(-1), seen.length ? Math.min(...seen) : null, seen.length ? Math.max(...seen) : null];
      const row = document.createElement("tr");
      const head = row.appendChild(document.createElement("th"));
      head.scope = "row";
      const swatch = head.appendChild(document.createElement("span"));
      swatch.className = "swatch";
      swatch.setAttribute("aria-hidden", "true");
      head.append(name);
      for (const value of cells) {
        const cell = row.appendChild(document.createElement("td"));
        cell.className = "n";
        cell.textContent = written(value, chart.unit);
      }
      return row;
    });
    if (rows.length) chart.figure.querySelector("tbody").replaceChildren(...rows);
  }

  function take(news) {
    if (!news.times.length) return;
    const before = times.length;
    times.push(...news.times);
    for (const chart of charts) {
      for (const name of news.charts[chart.id]?.order ?? []) {
        if (!chart.lines.has(name)) chart.lines.set(name, Array(before).fill(null));
      }
      for (const [name, values] of chart.lines) values.push(...(news.charts[chart.id]?.lines[name] ?? news.times.map(() => null)));
    }
    const over = Math.max(0, times.length - keep);
    times.splice(0, over);
    for (const chart of charts) {
      for (const values of chart.lines.values()) values.splice(0, over);
      draw(chart);
      tabulate(chart);
    }
  }

  async function renew() {
    const paused = document.getElementById("pause").getAttribute("aria-pressed") === "true";
    if (!(paused || document.hidden) || !times.length) {
      try {
        const answer = await fetch(section.dataset.history + "?since=" + (times.at(-1) ?? 0), { headers: { "HX-Request": "true" } });
        if (answer.ok) take(await answer.json());
      } catch {
        // The page says that the process can't be reached.
      }
    }
    setTimeout(renew, every);
  }

  function redraw() {
    for (const chart of charts) {
      chart.drawn = -1;
      if (times.length) draw(chart);
    }
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  let waiting;
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width) return; // a phone's address bar comes and goes
    width = innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(redraw, 200);
  });
  renew();
})();
