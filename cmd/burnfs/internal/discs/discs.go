package discs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/explain"
	"burnfs/cmd/burnfs/internal/failure"
	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/medium"
	"burnfs/mmc/reopen"
	"burnfs/mmc/sgio"
	"burnfs/session/history"
)

// Options says how a disc is opened.
type Options struct {
	ReadOnly bool
	Create   bool // make the plain file if there is none
	Log      *slog.Logger
	Fault    *Fault // nil: nothing goes wrong on purpose; emulated discs only
}

// Path is the absolute name of the disc, links resolved as far as it exists.
func Path(name string) (string, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(abs)
	if errors.Is(err, fs.ErrNotExist) {
		dir, derr := filepath.EvalSymlinks(filepath.Dir(abs))
		if derr != nil {
			return abs, nil
		}
		return filepath.Join(dir, filepath.Base(abs)), nil
	}
	return real, err
}

// Check says early, and in words of a user, what Open would fail for.
func Check(name string, create bool) error {
	st, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && create:
		// The name of a drive that is not there; /dev/shm holds files.
		if strings.HasPrefix(name, "/dev/") && !strings.HasPrefix(name, "/dev/shm/") {
			return noDrive(name, err)
		}
		return nil
	case errors.Is(err, fs.ErrNotExist) && strings.HasPrefix(name, "/dev/sr"):
		return noDrive(name, err)
	case errors.Is(err, fs.ErrNotExist):
		return failure.New(exitcode.Disc, err, "there is no disc "+name, "",
			"Check the name. 'burnfs create' makes an emulated disc, 'burnfs mount --create' an ISO file.")
	case err != nil:
		return failure.New(exitcode.Disc, err, "the disc "+name+" cannot be looked at", "", "Check the name and its permissions.")
	case device(st):
		return explain.Error(sgio.Check(name))
	case !st.Mode().IsRegular():
		return failure.New(exitcode.Disc, nil, name+" is not a disc: it is neither an image file nor an emulated disc", "", "Name a file.")
	}
	return nil
}

// device reports whether a name stands for a device node.
func device(st fs.FileInfo) bool { return st.Mode()&(fs.ModeDevice|fs.ModeCharDevice) != 0 }

func noDrive(name string, err error) error {
	return failure.New(exitcode.Disc, err, "there is no drive "+name, "",
		"Check that the drive is connected and switched on; 'burnfs drives' lists all drives.")
}

// Device reports whether the disc is named by a device node, which is a drive.
func Device(path string) bool {
	st, err := os.Stat(path)
	return err == nil && device(st)
}

// Plain reports whether the disc is a plain file, such as an ISO image, which only
// looks like a rewritable disc.
func Plain(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular() && emu.IsPlain(path)
}

// Disc is a disc in a drive and what was found on it.
type Disc struct {
	*mmc.Drive
	Info     *medium.Info
	Sessions []history.Session
}

// Open opens a drive, or puts the disc into an emulated one. Close the drive to
// let go of it.
func Open(name string, opt Options) (*mmc.Drive, error) {
	if err := opt.Fault.Check(name); err != nil {
		return nil, err
	}
	if err := Check(name, opt.Create); err != nil {
		return nil, err
	}
	if st, err := os.Stat(name); err == nil && device(st) {
		return openDrive(name, opt)
	}
	t, err := emu.Open(name, opt.Fault.options(emu.Options{Log: opt.Log, ReadOnly: opt.ReadOnly, Create: opt.Create}))
	if err != nil {
		return nil, err
	}
	return mmc.NewDrive(opt.Fault.wrap(t, opt.Log), opt.Log), nil
}

// openDrive opens a real drive, which may be unplugged and come back.
func openDrive(name string, opt Options) (*mmc.Drive, error) {
	how := sgio.Options{Log: opt.Log, ReadOnly: opt.ReadOnly}
	t, err := sgio.Open(name, how)
	if err != nil {
		return nil, err
	}
	r, err := reopen.New(context.Background(), t, t.Finder(name, how), reopen.Options{Log: opt.Log})
	if err != nil {
		return nil, err
	}
	return mmc.NewDrive(r, opt.Log), nil
}

// Inspect opens the disc and finds its sessions.
func Inspect(ctx context.Context, name string, opt Options) (_ *Disc, err error) {
	drive, err := Open(name, opt)
	if err != nil {
		return nil, err
	}
	d := &Disc{Drive: drive}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("%s: %w", name, err), drive.Close())
		}
	}()
	if err := d.Refresh(ctx); err != nil {
		return nil, err
	}
	return d, nil
}

// Refresh looks at the disc again, after it was written.
func (d *Disc) Refresh(ctx context.Context) (err error) {
	if d.Info, err = medium.Inspect(ctx, d.Drive); err != nil {
		return err
	}
	d.Sessions, err = history.List(ctx, d.Info, d.Drive)
	return err
}
