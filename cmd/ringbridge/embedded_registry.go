package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"

	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"
)

// embeddedRegistry keeps an in-memory registry's schemas in a file, so that the
// ids in records on disk mean the same after a restart, also to a program whose
// own schemas have changed since.
type embeddedRegistry struct {
	registry *srfake.Registry
	path     string
	logger   *slog.Logger
	mu       sync.Mutex // one snapshot at a time
}

func newEmbeddedRegistry(path string, logger *slog.Logger) (http.Handler, error) {
	r := &embeddedRegistry{registry: srfake.NewRegistry(), path: path, logger: logger}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	var held []sr.SubjectSchema
	if err := json.Unmarshal(content, &held); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return r, r.seed(held)
}

// seed puts the schemas back under their ids.
func (r *embeddedRegistry) seed(held []sr.SubjectSchema) error {
	known := map[int]bool{}
	for _, s := range held {
		if !known[s.ID] {
			known[s.ID] = true
			r.registry.SeedSchema(s.Subject, s.Version, s.ID, s.Schema)
			continue
		}
		// The same schema under a second subject shares the id.
		if _, _, err := r.registry.RegisterSchema(s.Subject, s.Schema); err != nil {
			return fmt.Errorf("restore %s: %w", s.Subject, err)
		}
	}
	return nil
}

// ServeHTTP implements http.Handler. After each request that may have changed
// something, the schemas are written to the file before the answer goes out.
func (r *embeddedRegistry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method == http.MethodGet {
		r.registry.Handler().ServeHTTP(w, req)
		return
	}
	answer := httptest.NewRecorder()
	r.registry.Handler().ServeHTTP(answer, req)
	if err := r.save(req.Context()); err != nil {
		r.logger.Error("schemas not saved", "path", r.path, "error", err)
		http.Error(w, "schemas not saved", http.StatusInternalServerError)
		return
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

func (r *embeddedRegistry) save(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	answer := httptest.NewRecorder()
	r.registry.Handler().ServeHTTP(answer, httptest.NewRequestWithContext(ctx, http.MethodGet, "/schemas", nil))
	if answer.Code != http.StatusOK {
		return fmt.Errorf("list schemas: status %d", answer.Code)
	}
	return writeWhole(r.path, answer.Body.Bytes())
}
