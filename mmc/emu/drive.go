package emu

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"burnfs/mmc"
)

// Drive is an emulated drive with a medium in it. It implements [mmc.Transport].
type Drive struct {
	log  *slog.Logger
	path string

	mu sync.Mutex // guards everything below; held while a command runs

	medium    *medium // stays known while the tray is open
	ejected   bool
	prevented bool // PREVENT ALLOW MEDIUM REMOVAL
	closed    bool

	// attention is what the next command hears instead of being done, nil if
	// nothing is pending (SPC-3 5.9 unit attention condition).
	attention *sense
	// event is the pending media event of GET EVENT STATUS NOTIFICATION.
	event uint8

	parameters writeParameters // mode page 05h
	pace       pace            // write speed

	timing     Timing      // does not change
	work       *work       // what goes on in the background, nil if nothing does
	buffer     writeBuffer // with a speed in timing
	calibrated bool        // the laser's power
	head       uint32      // the block behind the last one read or written
}

var _ mmc.Transport = (*Drive)(nil)

// newDrive puts a medium into a drive.
func newDrive(path string, m *medium, opt Options, log *slog.Logger) *Drive {
	d := &Drive{log: log, path: path, medium: m, pace: pace{now: time.Now, sleep: time.Sleep}, timing: opt.Timing}
	m.losesPower = opt.LosesPower
	if b, err := m.state.marshal(); err == nil {
		m.data.last = b
	}
	d.load()
	return d
}

// Medium returns the kind of the medium in the drive.
func (d *Drive) Medium() Media { return d.medium.media }

// Path returns the name of the data file, as given to [Open].
func (d *Drive) Path() string { return d.path }

// Execute does what a drive does with the command. It implements
// [mmc.Transport]. Trouble with the host's files is a [HostError].
func (d *Drive) Execute(ctx context.Context, cmd *mmc.Command) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	cmd.Resid = len(cmd.Data)
	if d.closed {
		return &mmc.TransportError{CDB: cmd.CDB, Err: os.ErrClosed}
	}
	r := &request{cdb: cmd.CDB, cmd: cmd}
	err := d.dispatch(r)
	cmd.Resid = len(cmd.Data) - r.transferred
	if err == nil {
		return nil
	}
	if s, ok := errors.AsType[sense](err); ok {
		return mmc.NewSenseError(cmd.CDB, s.raw())
	}
	return d.hostTrouble(cmd, err)
}

// HostError is trouble with the files of a medium, told as the medium error that
// a drive would report: it unwraps to both.
type HostError struct {
	Sense *mmc.SenseError
	Path  string // data file
	Err   error  // of the host's file system
}

// Error tells what the drive reports and why.
func (e *HostError) Error() string {
	return fmt.Sprintf("%v, because the file system of %s failed: %v", e.Sense, e.Path, e.Err)
}

// Unwrap returns the sense data and the cause.
func (e *HostError) Unwrap() []error { return []error{e.Sense, e.Err} }

func (d *Drive) hostTrouble(cmd *mmc.Command, err error) error {
	s := writeError
	if op := cmd.Opcode(); op == mmc.OpRead10 || op == mmc.OpRead12 {
		s = unrecoveredRead
	}
	if lba, _, ok := mmc.BlockRange(cmd.CDB); ok {
		s = s.at(lba)
	}
	e := &HostError{mmc.NewSenseError(cmd.CDB, s.raw()), d.path, err}
	d.log.Error("emulated drive", "err", e)
	return e
}

// Close makes everything written durable and frees the medium for others. A
// track that is open stays open. It implements [mmc.Transport].
func (d *Drive) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	err := errors.Join(d.medium.settle(), d.medium.data.close())
	if err != nil {
		return fmt.Errorf("%s: the emulated disc could not be saved completely, what was burned last may be missing: %w", d.path, err)
	}
	return nil
}

// load does what a drive does when a medium comes in.
func (d *Drive) load() {
	if d.medium.isSequential() {
		d.medium.recover()
	}
	d.medium.stopFormatting()
	changed := mediumChanged
	d.attention = &changed
	d.event = eventNewMedia
	d.ejected = false
	d.parameters = defaultWriteParameters()
	d.calibrated = false
	if t := d.timing.Load; t > 0 {
		now := d.pace.now()
		d.work = &work{why: becomingReady, begin: now, end: now.Add(t), finish: func() error { return nil }}
	}
}
