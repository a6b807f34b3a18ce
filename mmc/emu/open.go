package emu

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"

	"burnfs/mmc"

	"golang.org/x/sys/unix"
)

// Options say how a medium is put into the drive.
type Options struct {
	// Log takes what the drive has to say; nil discards it.
	Log *slog.Logger
	// ReadOnly write-protects the medium. Others may then read it too.
	ReadOnly bool
	// Create makes a plain file if there is none at the path.
	Create bool
	// MaxBlocks is how far a plain file may grow, in blocks; 0 is 2^26 blocks
	// (128 GiB). It does not bind a file that is longer already.
	MaxBlocks uint32
	// Timing makes the drive slow.
	Timing Timing
	// LosesPower prepares the drive for [Drive.LosePower].
	LosesPower bool
}

// ErrInUse is what Open returns, with the name of the file, while another
// program has the medium in its drive.
var ErrInUse = errors.New("another program is using this disc; unmount it there first, nothing was changed")

// ErrNotDisc is what Open returns, with a name and a reason, for what cannot be
// a disc at all.
var ErrNotDisc = errors.New("this is no disc file")

// Open puts the medium at path into a drive: one made by [Create], or a plain
// file such as an ISO image, which plays an overwritable medium. The medium
// belongs to the drive until [Drive.Close].
func Open(path string, opt Options) (*Drive, error) {
	name := path
	path, err := resolve(path)
	if err != nil {
		return nil, fmt.Errorf("the disc cannot be opened: %w", err)
	}
	log := opt.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	f, protected, err := openData(path, opt)
	if err != nil {
		return nil, err
	}
	m, err := loadMedium(path, f, opt)
	if err != nil {
		return nil, errors.Join(err, unlock(f))
	}
	if !protected && !m.plain() && unix.Access(filepath.Dir(path), unix.W_OK) != nil {
		// The state could not be replaced.
		log.Warn("emulated drive: the directory cannot be written, so the disc is write-protected", "directory", filepath.Dir(path))
		protected = true
	}
	m.protected = protected
	return newDrive(name, m, opt, log), nil
}

// openFlags keep opening from waiting for the other end of a fifo.
const openFlags = unix.O_NONBLOCK

// openData opens and locks the data file.
func openData(path string, opt Options) (f *os.File, protected bool, err error) {
	protected = opt.ReadOnly
	if !protected {
		f, err = os.OpenFile(path, os.O_RDWR|openFlags, 0)
		protected = errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EROFS)
	}
	switch {
	case protected:
		f, err = os.OpenFile(path, os.O_RDONLY|openFlags, 0)
	case errors.Is(err, fs.ErrNotExist) && opt.Create:
		f, err = createPlain(path)
	case errors.Is(err, unix.EISDIR):
		err = fmt.Errorf("%s is a directory: %w", path, ErrNotDisc)
	}
	if err != nil {
		return nil, false, fmt.Errorf("the disc cannot be opened: %w", err)
	}
	fi, err := f.Stat()
	if err == nil && !fi.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file: %w", path, ErrNotDisc)
	}
	if err == nil {
		how := unix.LOCK_EX
		if protected {
			how = unix.LOCK_SH
		}
		err = unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = fmt.Errorf("%s: %w", path, ErrInUse)
		}
	}
	if err != nil {
		return nil, false, errors.Join(err, f.Close())
	}
	return f, protected, nil
}

// createPlain makes an empty data file, and makes it durable: what is flushed
// later must have a name.
func createPlain(path string) (*os.File, error) {
	if _, err := os.Lstat(path + stateSuffix); err == nil {
		return nil, fmt.Errorf("%s is missing, but %s describes it: restore the data file, or remove the description", path, path+stateSuffix)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|openFlags, 0o666)
	if err != nil {
		return nil, err
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// loadMedium finds out what the data file is.
func loadMedium(path string, f *os.File, opt Options) (*medium, error) {
	s := &store{path: path, data: hostFile{f}}
	st, err := readStateFile(path)
	if err == nil {
		k, _ := kindOf(st.Media)
		s.replace = replaceStateFile
		return &medium{kind: k.as(st), state: *st, data: s}, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	s.certain = fi.Size()
	limit := opt.MaxBlocks
	if limit == 0 {
		limit = defaultMaxBlocks
	}
	blocks := plainBlocks(fi.Size())
	if blocks > math.MaxInt32 {
		return nil, fmt.Errorf("%s has %d blocks of %d bytes, more than any disc: %w", path, blocks, mmc.BlockSize, ErrNotDisc)
	}
	return &medium{
		kind: plainKind, data: s, limit: max(limit, uint32(blocks)),
		state: state{Media: plainKind.media, Blocks: uint32(blocks), Formatting: formatDone},
	}, nil
}
