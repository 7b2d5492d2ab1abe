package realparts

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
)

// Registry is an Apicurio schema registry that keeps its schemas in memory. Its methods are not safe for
// concurrent use.
type Registry struct {
	at   install
	cfg  Config
	addr string
	proc *process
}

// StartRegistry starts an empty registry and returns when it answers. ctx bounds the start only.
func StartRegistry(ctx context.Context, cfg Config) (*Registry, error) {
	at, err := findInstall(ctx)
	if err != nil {
		return nil, err
	}
	port, err := cfg.port(ctx)
	if err != nil {
		return nil, err
	}
	cfg.Port = port
	r := &Registry{at: at, cfg: cfg, addr: loopback(port)}
	if err := r.start(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// URL is the base of the Confluent-compatible API, what SCHEMA_REGISTRY_URL takes; the same over restarts.
func (r *Registry) URL() string { return "http://" + r.addr + "/apis/ccompat/v7" }

// LogFile is where the registry's output is, of all its starts.
func (r *Registry) LogFile() string { return r.proc.log }

// Stop ends the registry in order (SIGTERM) and waits. Its schemas are gone.
func (r *Registry) Stop() error { return r.proc.stop() }

// Kill ends the registry as kill -9 does and waits until it is gone.
func (r *Registry) Kill() error { return r.proc.kill() }

// Restart starts the registry again on its address, empty, and returns when it answers.
func (r *Registry) Restart(ctx context.Context) error {
	if err := r.Stop(); err != nil {
		return err
	}
	return r.start(ctx)
}

// start launches the registry; after an error it does not run.
func (r *Registry) start(ctx context.Context) error {
	// The first-tier compiler alone: a registry under test answers a few dozen requests, and starts sooner so.
	args := []string{
		"-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Dquarkus.http.host=127.0.0.1", fmt.Sprintf("-Dquarkus.http.port=%d", r.cfg.Port),
	}
	for _, setting := range r.cfg.Settings {
		args = append(args, "-D"+setting)
	}
	jar, err := r.jar()
	if err != nil {
		return err
	}
	proc, err := launch(ctx, "registry", r.cfg.Dir, r.at.java, append(args, "-jar", jar)...)
	if err != nil {
		return err
	}
	r.proc = proc
	return proc.until(ctx, r.answers)
}

// jar finds the one runnable archive, so that the version is written down in pom.xml only.
func (r *Registry) jar() (string, error) {
	jars, err := filepath.Glob(filepath.Join(r.at.dir, "registry", "*-runner.jar"))
	if err != nil || len(jars) != 1 {
		return "", fmt.Errorf("realparts: registry: %d runnable archives in %s", len(jars), r.at.dir)
	}
	return jars[0], nil
}

func (r *Registry) answers(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL()+"/subjects", nil)
	if err != nil {
		return err
	}
	resp, err := new(http.Client).Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}
