package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/explain"
	"burnfs/cmd/burnfs/internal/failure"
	"burnfs/cmd/burnfs/internal/mounthelper"
)

// Env is the world around one run of the command.
type Env struct {
	Args     []string // with argv[0]
	In       io.Reader
	Out, Err io.Writer
	Getenv   func(string) string
}

// Process is the Env of this process.
func Process() Env {
	return Env{Args: os.Args, In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv}
}

// Main runs the command that env.Args names and returns the exit status.
func Main(env Env) int {
	if len(env.Args) == 0 {
		env.Args = []string{"burnfs"}
	}
	if env.Getenv("PATH") == "" {
		// mount(8) takes it away from its helpers; fusermount3 is looked up in it.
		if err := os.Setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"); err != nil {
			fmt.Fprintln(env.Err, "burnfs:", err)
			return int(exitcode.General)
		}
	}
	switch mounthelper.RoleOf(env.Args[0]) {
	case mounthelper.Mount:
		return mountHelper(env)
	case mounthelper.Umount:
		return umountHelper(env)
	}
	a := &app{env: env}
	root := a.root()
	root.SetArgs(mkisofsArgs(env.Args[1:]))
	err := root.ExecuteContext(context.Background())
	if err == nil {
		return int(exitcode.OK)
	}
	if _, ok := errors.AsType[*failure.Failure](err); !ok {
		// run turns every error of a command into a Failure, so this one is
		// cobra's and about the command line.
		err = failure.Usagef("%v", err)
	}
	a.complain(err)
	return int(failure.CodeOf(err))
}

// app is what the commands share.
type app struct {
	env     Env
	verbose bool
}

// Command is the whole command tree, for the manual pages and their test.
func Command() *cobra.Command {
	return (&app{env: Env{Args: []string{"burnfs"}, Out: io.Discard, Err: io.Discard, Getenv: func(string) string { return "" }}}).root()
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "burnfs",
		Short: "Write to optical discs like to any folder",
		Long: `burnfs mounts a multisession optical disc so that programs can write to it like to
any folder. Unmounting burns what has changed as one more ISO 9660 session, which
every other computer can read, and returns when it was read back and verified.`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
		Args:              cobra.NoArgs,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.env.In)
	root.SetOut(a.env.Out)
	root.SetErr(a.env.Err)
	root.PersistentFlags().BoolVarP(&a.verbose, "verbose", "v", false, "say more: causes of errors, what is done")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return failure.New(exitcode.Usage, nil, err.Error(), "", fmt.Sprintf("See '%s --help'.", cmd.CommandPath()))
	})
	root.AddCommand(
		a.drivesCmd(), a.infoCmd(), a.createCmd(), a.mountCmd(), a.umountCmd(), a.planCmd(), a.syncCmd(), a.discardCmd(), a.statusCmd(), a.sessionsCmd(),
		a.msinfoCmd(), a.imageCmd(), a.burnCmd(), a.verifyCmd(), a.checkCmd(), a.doctorCmd(),
		a.blankCmd(), a.formatCmd(), a.finalizeCmd(), a.closeCmd(), a.ejectCmd(), a.stagingCmd(), a.fsckStagingCmd(), a.versionCmd(),
	)
	return root
}

// run adapts a command's body: whatever it returns becomes a Failure.
func (a *app) run(body func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := body(cmd.Context(), args)
		if dead, ok := errors.AsType[*deadMount](err); ok {
			return dead.explain(false)
		}
		return explain.Error(err)
	}
}

// exactArgs asks for named operands.
func exactArgs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		return failure.New(exitcode.Usage, nil,
			fmt.Sprintf("%s needs %d operands %v, got %d", cmd.CommandPath(), len(names), names, len(args)), "",
			fmt.Sprintf("See '%s --help'.", cmd.CommandPath()))
	}
}

// complain prints err for the user, unless another process does.
func (a *app) complain(err error) {
	if _, ok := errors.AsType[reported](err); ok {
		return
	}
	failure.Print(a.env.Err, filepath.Base(a.env.Args[0]), err, a.verbose)
}

// log goes to stderr: warnings, and with -v everything.
func (a *app) log() *slog.Logger {
	level := slog.LevelWarn
	if a.verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(a.env.Err, &slog.HandlerOptions{Level: level}))
}
