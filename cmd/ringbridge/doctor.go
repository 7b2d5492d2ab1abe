package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// checkTimeout bounds one check: an operator waits for the answer.
const checkTimeout = 15 * time.Second

// How a check ended.
const (
	checkOK      = "ok"
	checkFailed  = "FAIL"
	checkSkipped = "skipped"
)

// A finding is what a check has found.
type finding struct {
	Check  string `json:"check"`
	Status string `json:"status"`
	About  string `json:"about"`
	Next   string `json:"next,omitempty"` // what to do about a failure
}

func ok(format string, args ...any) finding {
	return finding{Status: checkOK, About: fmt.Sprintf(format, args...)}
}

func skipped(format string, args ...any) finding {
	return finding{Status: checkSkipped, About: fmt.Sprintf(format, args...)}
}

func failed(about, next string) finding {
	return finding{Status: checkFailed, About: about, Next: next}
}

func (p *program) doctorCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Check everything the bridge needs, and say what to do",
		Long: `Checks, one line each, and changes nothing:
  configuration   every setting, as run reads them
  kafka           reach, version
  permissions     what the broker says this user may do with the topics and groups
  topics          as topics check
  transactions    whether one hangs on the topics, and keeps them from being read
  registry        reach, and whether this program's schemas are compatible
  engage          ENGAGE_ACCESS_TOKEN, by a cheap call
  webhook         whether Engage Digital has the webhook, where it leads, and if it is on
  platform        RINGCENTRAL_JWT and the client, by getting a token
  subscriptions   whether ours is there and active, and until when
  polling         whether a part of a list is on record as unread, as the API did not give it
  clock           this machine's against the APIs' and the newest record of the inbox
  spool           whether SPOOL_DIR can be written

Each is ok, FAIL with what to do, or skipped and why. All of them run. No secret is
printed. Exit status 1 when one failed.`,
		Example: `  ringbridge doctor
  ringbridge doctor --json | jq 'select(.status == "FAIL")'`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.doctor(c.Context(), asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return c
}

// doctor runs the checks, in the order in which the bridge needs what they are about.
type doctor struct {
	p      *program
	dates  *dates       // what the APIs' clocks said on the way
	remote *http.Client // for the APIs; it takes their dates down
	client *ringcentral.Platform
}

func (p *program) doctor(ctx context.Context, asJSON bool) error {
	heard := &dates{transport: &http.Transport{Proxy: nil, TLSHandshakeTimeout: checkTimeout}}
	defer heard.transport.CloseIdleConnections()
	d := &doctor{p: p, dates: heard, remote: &http.Client{Transport: heard}}
	defer func() {
		if d.client != nil {
			d.client.Close()
		}
	}()
	counts := map[string]int{}
	for _, check := range []struct {
		name string
		do   func(context.Context) finding
	}{
		{"configuration", d.configuration},
		{"kafka", d.kafka},
		{"permissions", d.permissions},
		{"topics", d.topics},
		{"transactions", d.transactions},
		{"registry", d.registry},
		{"engage", d.engage},
		{"webhook", d.webhook},
		{"platform", d.platform},
		{"subscriptions", d.subscriptions},
		{"polling", d.polling},
		{"clock", d.clock},
		{"spool", d.spool},
	} {
		var found finding
		_ = within(ctx, checkTimeout, func(ctx context.Context) error { found = check.do(ctx); return nil })
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		found.Check = check.name
		counts[found.Status]++
		if err := d.print(found, asJSON); err != nil {
			return err
		}
	}
	if !asJSON {
		p.printf("%d ok, %d failed, %d skipped\n", counts[checkOK], counts[checkFailed], counts[checkSkipped])
	}
	if counts[checkFailed] > 0 {
		return &exitError{code: exitFault}
	}
	return nil
}

func (d *doctor) print(found finding, asJSON bool) error {
	if asJSON {
		return d.p.printJSON(found)
	}
	line := fmt.Sprintf("%-8s %-14s %s", found.Status, found.Check, oneLine(found.About))
	if found.Next != "" {
		line += " → " + oneLine(found.Next)
	}
	d.p.printf("%s\n", line)
	return nil
}

func (d *doctor) configuration(ctx context.Context) finding {
	var cfg config
	err := load(ctx, &cfg, d.p.env)
	var faults *configError
	switch {
	case errors.As(err, &faults):
		texts := make([]string, len(faults.faults))
		for i, fault := range faults.faults {
			texts[i] = fault.Error()
		}
		return failed(strings.Join(texts, "; "), "correct these variables; `ringbridge run --help` explains each")
	case err != nil:
		return failed(err.Error(), "correct the environment")
	}
	if unknown := unknownSettings(d.p.env); len(unknown) > 0 {
		return ok("all settings can be read; these variables look like settings and are none: %s", strings.Join(unknown, ", "))
	}
	return ok("all settings can be read")
}

// part loads a part of the configuration. What is wrong with it, the first check has
// told; the others are skipped then.
func part[T any](ctx context.Context, d *doctor) (cfg T, skip finding, usable bool) {
	if err := load(ctx, &cfg, d.p.env); err != nil {
		return cfg, skipped("its settings are wrong: see configuration"), false
	}
	return cfg, finding{}, true
}

// spool tries what the spool does first. A directory that is not there yet is made at
// the start, so it must be possible to make it.
func (d *doctor) spool(ctx context.Context) finding {
	cfg, skip, usable := part[processConfig](ctx, d)
	if !usable {
		return skip
	}
	if cfg.SpoolDir == "" {
		return skipped("SPOOL_DIR is empty: while Kafka is out of reach webhooks are answered 503")
	}
	dir := filepath.Clean(cfg.SpoolDir)
	for {
		_, err := os.Stat(dir)
		if err == nil || !errors.Is(err, os.ErrNotExist) || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	file, err := os.CreateTemp(dir, ".ringbridge-doctor-*")
	if err == nil {
		_, err = file.WriteString("x")
		err = cmp.Or(err, file.Sync(), file.Close(), os.Remove(file.Name()))
	}
	if err != nil {
		return failed("SPOOL_DIR cannot be written: "+err.Error(), "give the user of the bridge the right to write there, and a disk with space")
	}
	if dir != filepath.Clean(cfg.SpoolDir) {
		return ok("%s is not there yet, and can be made", cfg.SpoolDir)
	}
	return ok("%s can be written", cfg.SpoolDir)
}
