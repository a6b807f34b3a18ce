package recorder

import (
	"context"
	"fmt"
	"log/slog"

	"burnfs/mmc"
	"burnfs/mmc/medium"
)

// Recorder writes one session. Its methods are called by one goroutine.
//
// A context that ends makes a method return early between two commands and
// between two polls of a busy drive; a command that was sent runs to its end.
type Recorder interface {
	// Start returns the block where the stream begins (LBA). On overwritable
	// media it is 0 and means nothing: the caller chooses addresses.
	Start() uint32

	// NextAddress returns the block that Write goes on with. It differs from
	// Start when an interrupted burn is resumed: what lies below is on the
	// medium already, and the caller produces and skips it.
	NextAddress() uint32

	// Begin does everything before the first WRITE: formatting where it is
	// needed, speed, write parameters, power calibration. It refuses a medium
	// that may have changed since it was inspected.
	Begin(ctx context.Context) error

	// Write takes whole blocks for the addresses from lba on. On sequential
	// media lba must be NextAddress. The recorder collects blocks until it can
	// send as much as the drive likes to get at once.
	Write(ctx context.Context, lba uint32, p []byte) error

	// Sync sends what was collected, the last unit of the medium filled up with
	// zeros, and waits until all of it is on the medium. On sequential media it
	// ends the stream: on CD because the drive ends the track then, elsewhere
	// because the next address moves behind the zeros.
	//
	// A CD track also gets what its last blocks need to be readable everywhere
	// (150 blocks) and its least length (300 blocks), as far as there is room.
	Sync(ctx context.Context) error

	// Suspend makes durable what consists of whole units and forgets the rest:
	// it leaves the track open so that the burn can be resumed. On CD a track
	// written at once cannot be continued; there it ends, and CloseDamaged makes
	// room for a new session. Nothing but medium.Inspect and New may follow.
	Suspend(ctx context.Context) error

	// Close closes track and session, after Sync. Whether that worked is judged
	// by what the drive then says about the medium, because drives report errors
	// for what they have done and success for what they have not. Without
	// keepAppendable nothing can be added to the disc any more. On overwritable
	// media there is nothing to close.
	Close(ctx context.Context, keepAppendable bool) error
}

// Options are what a caller may choose.
type Options struct {
	// Log gets what is unusual; nil discards it.
	Log *slog.Logger
	// SpeedKBps is the wanted speed in kB/s, kB = 1000 bytes; 0 leaves it to
	// the drive.
	SpeedKBps int
	// Resume continues in the track that an interrupted burn left.
	Resume bool
	// Mode is how a sequential medium is written.
	Mode Mode
	// Blocks is the size of the stream in blocks. Modes for which Mode.AtOnce
	// holds need it; 0 is unknown.
	Blocks uint32
	// Final says that nothing will be added to the disc later. Modes for which
	// Mode.AtOnce holds fix it before they write, and Close must agree with it.
	Final bool
	// XA writes the first data session of a CD as CD-ROM XA mode 2 form 1
	// instead of mode 1. Later sessions are written as the last one on the disc
	// is, whatever XA says, because not all readers can do with both on a disc.
	XA bool
}

// New makes the recorder for the medium that info describes.
//
// Errors: *NotWritableError; ErrInterrupted if an interrupted burn is in the way
// and Resume is not set; ErrSizeNeeded without Options.Blocks in a mode that needs
// it; with Resume ErrNothingToResume, and ErrNotResumable when the track takes no
// more data, as one written at once never does. In the last case [CloseDamaged] helps; since the
// burn may have been interrupted after its last block, the closed session may
// prove to be complete when it is read back.
func New(d *mmc.Drive, info *medium.Info, opt Options) (Recorder, error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if info.NotWritableReason != "" {
		return nil, &NotWritableError{Reason: info.NotWritableReason}
	}
	switch info.Kind {
	case medium.Overwritable:
		if opt.Mode != ModeDefault {
			return nil, wrongMode(info.Profile, opt.Mode)
		}
		if opt.Resume {
			return nil, fmt.Errorf("%v: %w", info.Profile, ErrNothingToResume)
		}
		if info.OpenTrack != nil {
			return nil, ErrInterrupted
		}
		return newOverwritable(d, info, opt), nil
	case medium.Sequential:
		opt.Mode = opt.mode(info)
		rules, err := rulesOf(info, opt)
		if err != nil {
			return nil, err
		}
		return newSequential(d, info, opt, rules)
	}
	return nil, &NotWritableError{Reason: fmt.Sprintf("There is no way known to write a %v.", info.Profile)}
}

// session is what all recorders have in common.
type session struct {
	d    *mmc.Drive
	info medium.Info
	opt  Options
	// slowed says that a speed was set, which has to be taken back.
	slowed bool
}

func newSession(d *mmc.Drive, info *medium.Info, opt Options) session {
	return session{d: d, info: *info, opt: opt}
}

// checkUnchanged refuses to touch a medium that may be another one than was
// inspected, and claims it.
func (s *session) checkUnchanged(ctx context.Context) error {
	// A medium that was exchanged while nobody asked announces itself now.
	if err := medium.Ready(ctx, s.d, "choosing the medium"); err != nil {
		return err
	}
	if s.d.MediumChanges() != s.info.Changes {
		return ErrChanged
	}
	s.d.Claim(s.info.Changes)
	return nil
}

// stillOurs takes note of a medium that the drive has announced as another one
// because of what the recorder did to it.
func (s *session) stillOurs(changes uint64) {
	s.info.Changes = changes
	s.d.Claim(changes)
}
