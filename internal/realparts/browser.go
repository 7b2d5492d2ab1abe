package realparts

import (
	"context"
	"path/filepath"
)

// Browser returns the path of a Chromium, or of a Chrome.
func Browser(ctx context.Context) (string, error) {
	at, err := findInstall(ctx)
	if err != nil {
		return "", err
	}
	return filepath.Join(at.dir, "browser"), nil
}
