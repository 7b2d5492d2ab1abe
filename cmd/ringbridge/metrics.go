package main

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// newMetricsRegistry returns the process's own registry, with what every Go
// process tells.
func newMetricsRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	version, commit := buildInfo()
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "ringbridge_build_info",
		Help:        "Always 1; the labels tell the build.",
		ConstLabels: prometheus.Labels{"version": version, "commit": commit, "go_version": runtime.Version()},
	})
	info.Set(1)
	registry.MustRegister(info, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}
