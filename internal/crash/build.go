package crash

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
)

// Build builds the program with its failpoints and a clock that can step, to path; what it needs for that lies beside it.
// The working directory must be inside the module.
func Build(ctx context.Context, path string) error {
	steps, err := overlay(ctx, filepath.Dir(path))
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", "failpoints", "-overlay", steps, "-o", path, "github.com/ringbridge/ringbridge/cmd/ringbridge")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("crash: build: %w: %s", err, out)
	}
	return nil
}
