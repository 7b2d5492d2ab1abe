package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/sethvargo/go-envconfig"
)

// fileSuffix makes the name of the variable that names a secret's file.
const fileSuffix = "_FILE"

// maxSecretBytes bounds what is read of a secret's file: no credential is
// longer, and a path to something else should not fill the memory.
const maxSecretBytes = 64 << 10

// secretFile returns a lookuper that takes the secret from the file that
// NAME_FILE names, or env itself when that is not set.
func secretFile(name string, env envconfig.Lookuper) (envconfig.Lookuper, error) {
	path, ok := env.Lookup(name + fileSuffix)
	if !ok {
		return env, nil
	}
	if _, both := env.Lookup(name); both {
		return nil, fmt.Errorf("%s: is set, and so is %s: set one of them", name, name+fileSuffix)
	}
	value, err := readSecret(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name+fileSuffix, err)
	}
	return envconfig.MapLookuper(map[string]string{name: value}), nil
}

// readSecret returns the file's content without the line break that editors and
// `echo` put at the end.
func readSecret(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxSecretBytes+1))
	switch {
	case err != nil:
		return "", err
	case len(content) > maxSecretBytes:
		return "", fmt.Errorf("the file is larger than %d bytes", maxSecretBytes)
	}
	value := strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r")
	if value == "" {
		return "", errors.New("the file is empty")
	}
	return value, nil
}
