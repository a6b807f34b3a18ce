package mounthelper

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/pflag"

	"burnfs/cmd/burnfs/internal/exitcode"
)

// Role is what argv[0] asks for.
type Role int

const (
	None   Role = iota // the burnfs command itself
	Mount              // a mount(8) helper
	Umount             // an umount(8) helper
)

// RoleOf tells from argv[0].
func RoleOf(argv0 string) Role {
	switch filepath.Base(argv0) {
	case "mount.burnfs", "mount.fuse.burnfs":
		return Mount
	case "umount.burnfs", "umount.fuse.burnfs":
		return Umount
	}
	return None
}

// MountArgs is the command line of a mount(8) helper.
type MountArgs struct {
	Source, Dir string
	Options     []string // every -o, in order
	Sloppy      bool     // -s: unknown options are not errors
	Fake        bool     // -f: everything but the mount itself
	NoMtab      bool     // -n: there is no mtab to write
	Verbose     bool     // -v
	Namespace   string   // -N: the caller has entered it already
	Type        string   // -t
}

// UmountArgs is the command line of an umount(8) helper.
type UmountArgs struct {
	Dir       string
	Force     bool   // -f
	Lazy      bool   // -l
	NoMtab    bool   // -n
	ReadOnly  bool   // -r: remount read only if it fails
	Verbose   bool   // -v
	Namespace string // -N
	Type      string // -t
}

// Error is a wrong command line of the helper name.
type Error struct {
	Usage string
	Err   error
}

func (e *Error) Error() string { return fmt.Sprintf("%v; usage: %s", e.Err, e.Usage) }
func (e *Error) Unwrap() error { return e.Err }

// The command lines, for messages and the manual.
const (
	MountUsage  = "mount.burnfs DISC DIR [-sfnv] [-N namespace] [-o options] [-t type]"
	UmountUsage = "umount.fuse.burnfs DIR [-flnrv] [-N namespace] [-t type]"
)

// ParseMount reads the arguments behind argv[0].
func ParseMount(args []string) (MountArgs, error) {
	var a MountArgs
	fs := flags("mount.burnfs")
	boolean(fs, &a.Sloppy, "s")
	boolean(fs, &a.Fake, "f")
	boolean(fs, &a.NoMtab, "n")
	boolean(fs, &a.Verbose, "v")
	fs.StringVarP(&a.Namespace, "namespace", "N", "", "")
	fs.StringArrayVarP(&a.Options, "options", "o", nil, "")
	fs.StringVarP(&a.Type, "types", "t", "", "")
	if err := fs.Parse(args); err != nil {
		return MountArgs{}, &Error{MountUsage, err}
	}
	if fs.NArg() != 2 || fs.Arg(0) == "" || fs.Arg(1) == "" {
		return MountArgs{}, &Error{MountUsage, fmt.Errorf("need a disc and a directory, got %q", fs.Args())}
	}
	a.Source, a.Dir = fs.Arg(0), fs.Arg(1)
	return a, nil
}

// ParseUmount reads the arguments behind argv[0].
func ParseUmount(args []string) (UmountArgs, error) {
	var a UmountArgs
	fs := flags("umount.fuse.burnfs")
	boolean(fs, &a.Force, "f")
	boolean(fs, &a.Lazy, "l")
	boolean(fs, &a.NoMtab, "n")
	boolean(fs, &a.ReadOnly, "r")
	boolean(fs, &a.Verbose, "v")
	fs.StringVarP(&a.Namespace, "namespace", "N", "", "")
	fs.StringVarP(&a.Type, "types", "t", "", "")
	if err := fs.Parse(args); err != nil {
		return UmountArgs{}, &Error{UmountUsage, err}
	}
	if fs.NArg() != 1 || fs.Arg(0) == "" {
		return UmountArgs{}, &Error{UmountUsage, fmt.Errorf("need one directory, got %q", fs.Args())}
	}
	a.Dir = fs.Arg(0)
	return a, nil
}

func flags(name string) *pflag.FlagSet {
	fs := pflag.NewFlagSet(name, pflag.ContinueOnError)
	fs.SetInterspersed(true)
	fs.Usage = func() {}
	return fs
}

// boolean defines a flag that has a letter only; pflag wants a long name too.
func boolean(fs *pflag.FlagSet, p *bool, letter string) {
	fs.BoolVarP(p, "flag-"+letter, letter, false, "")
}

// MountStatus turns an exit code of burnfs into one that mount(8) and
// umount(8) document: 1 wrong invocation, 2 system error, 8 interrupted,
// 32 failed. A disc that was unmounted with its changes staged, as it was told
// to, is unmounted: 0.
func MountStatus(c exitcode.Code) int {
	switch c {
	case exitcode.OK, exitcode.Staged:
		return 0
	case exitcode.Usage:
		return 1
	case exitcode.Staging:
		return 2
	case exitcode.Interrupted:
		return 8
	default:
		return 32
	}
}
