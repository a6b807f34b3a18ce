package cli

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (a *app) versionCmd() *cobra.Command {
	return &cobra.Command{
		DisableFlagsInUseLine: true,
		Use:                   "version",
		Short:                 "Print the version",
		Long:                  "Print the version of burnfs, of the Go it was built with, and the revision.",
		Args:                  exactArgs(),
		RunE: a.run(func(context.Context, []string) error {
			_, err := fmt.Fprintln(a.env.Out, versionLine())
			return err
		}),
	}
}

// versionLine is what the build recorded about itself.
func versionLine() string {
	version, revision, modified := "(unknown)", "", ""
	if bi, ok := debug.ReadBuildInfo(); ok {
		if bi.Main.Version != "" {
			version = bi.Main.Version
		}
		for _, s := range bi.Settings {
			switch {
			case s.Key == "vcs.revision":
				revision = " " + s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				modified = " (modified)"
			}
		}
	}
	return fmt.Sprintf("burnfs %s%s%s, %s %s/%s", version, revision, modified, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
