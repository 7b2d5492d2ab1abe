package crash

import (
	"context"
	"fmt"
	"os/exec"
)

// Build builds the program with its failpoints, to path. The working directory must be inside the module.
func Build(ctx context.Context, path string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", "failpoints", "-o", path, "github.com/ringbridge/ringbridge/cmd/ringbridge")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("crash: build: %w: %s", err, out)
	}
	return nil
}
