package realparts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ErrNotFetched says that the parts are not on this machine; `make parts` brings them.
var ErrNotFetched = errors.New("realparts: not fetched: run make parts")

// install is where the fetched parts lie.
type install struct {
	dir  string // one folder a part: kafka, registry, avro; and browser, a link
	java string // the JDK's launcher
	repo string // deploy/local, for Decode.java
}

// findInstall asks deploy/local/fetch, which alone knows the cache's name. It never fetches: a test run
// should not turn into a download of 200 MB that nobody sees.
func findInstall(ctx context.Context) (install, error) {
	root, err := checkout()
	if err != nil {
		return install{}, err
	}
	local := filepath.Join(root, "deploy", "local")
	out, err := exec.CommandContext(ctx, filepath.Join(local, "fetch"), "--check").Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return install{}, fmt.Errorf("%w (%s)", ErrNotFetched, bytes.TrimSpace(exit.Stderr))
	}
	if err != nil {
		return install{}, fmt.Errorf("realparts: find the parts: %w", err)
	}
	dir := strings.TrimSpace(string(out))
	// Through the link: a launcher looks for its JDK beside itself.
	java, err := filepath.EvalSymlinks(filepath.Join(dir, "java"))
	if err != nil {
		return install{}, fmt.Errorf("realparts: find java: %w", err)
	}
	return install{dir: dir, java: java, repo: local}, nil
}

// checkout is the module's root, upwards from where a test runs.
func checkout() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("realparts: find the checkout: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if filepath.Dir(dir) == dir {
			return "", errors.New("realparts: find the checkout: no go.mod above the working directory")
		}
		dir = filepath.Dir(dir)
	}
}
