package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// unreleased is the version of a program that was built from a work tree.
const unreleased = "devel"

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Long:  "Prints the version, the commit it was built from, and the Go version it was built with.",
		Args:  cobra.NoArgs,
		Run: func(*cobra.Command, []string) {
			version, commit := buildInfo()
			p.printf("ringbridge %s (commit %s, %s)\n", version, commit, runtime.Version())
		},
	}
}

// buildInfo returns the version and the commit that the build recorded.
func buildInfo() (version, commit string) {
	version, commit = unreleased, "unknown"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return version, commit
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		version = v
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			commit += " with changes"
		}
	}
	return version, commit
}
