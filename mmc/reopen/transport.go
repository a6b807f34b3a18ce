package reopen

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"burnfs/mmc"
)

// Finder looks for drives.
type Finder interface {
	// Candidates returns the names of drives that may be the one that is gone, the
	// likeliest first.
	Candidates() []string
	// Open opens one of them.
	Open(name string) (mmc.Transport, error)
}

// Options says how patient a Transport is.
type Options struct {
	Log *slog.Logger // nil discards
	// Grace is how long commands wait for a drive after it has gone; 0 is
	// DefaultGrace, less is not at all.
	Grace time.Duration
	// Interval is the shortest time between two looks for the drive; 0 is
	// DefaultInterval.
	Interval time.Duration
}

// Defaults of Options. A drive that was plugged in needs a few seconds until the
// kernel has a name for it.
const (
	DefaultGrace    = 10 * time.Second
	DefaultInterval = time.Second
)

// Transport is a mmc.Transport whose drive may go away and come back. It serves one
// command at a time, as all transports.
type Transport struct {
	opt    Options
	finder Finder
	id     Identity
	limit  int // of the drive as it was opened first

	t         mmc.Transport // nil while the drive is gone
	lost      time.Time     // when it went
	looked    time.Time     // when it was looked for last
	attention bool          // the next command has to tell of another medium
	closed    bool
}

var (
	_ mmc.Transport = (*Transport)(nil)
	_ mmc.Wrapper   = (*Transport)(nil)
)

// New watches over a drive that is open. It owns t from then on, also when it
// fails, which it does if the drive does not say who it is.
func New(ctx context.Context, t mmc.Transport, finder Finder, opt Options) (*Transport, error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Grace == 0 {
		opt.Grace = DefaultGrace
	}
	if opt.Interval <= 0 {
		opt.Interval = DefaultInterval
	}
	id, err := Identify(ctx, t)
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return &Transport{opt: opt, finder: finder, id: id, t: t, limit: limitOf(t)}, nil
}

func limitOf(t mmc.Transport) int {
	if l, ok := t.(mmc.TransferLimiter); ok {
		return l.MaxTransfer()
	}
	return mmc.MaxTransfer
}

// Unwrap returns the transport of the drive, nil while it is gone.
func (r *Transport) Unwrap() mmc.Transport { return r.t }

// Identity returns who the drive is.
func (r *Transport) Identity() Identity { return r.id }

// Execute implements mmc.Transport.
func (r *Transport) Execute(ctx context.Context, cmd *mmc.Command) error {
	if r.t == nil {
		if err := r.await(ctx); err != nil {
			cmd.Resid = len(cmd.Data)
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return &mmc.TransportError{CDB: append([]byte(nil), cmd.CDB...), Unsent: true, Gone: true, Err: err}
		}
	}
	if op := cmd.Opcode(); r.attention && op != mmc.OpInquiry && op != mmc.OpRequestSense {
		// SPC-3 6.4 and 6.27: those two are answered in any case.
		r.attention = false
		cmd.Resid = len(cmd.Data)
		return mmc.NewSenseError(cmd.CDB, mmc.NewSense(mmc.KeyUnitAttention, 0x28, 0x00))
	}
	err := r.t.Execute(ctx, cmd)
	if errors.Is(err, mmc.ErrDriveGone) {
		r.opt.Log.Warn("the drive is gone", "drive", r.id, "err", err)
		if cerr := r.t.Close(); cerr != nil {
			r.opt.Log.Debug("letting go of the drive that is gone", "err", cerr)
		}
		r.t, r.lost, r.looked = nil, time.Now(), time.Time{}
	}
	return err
}

// errGone is why a command was not sent.
var errGone = errors.New("it was not found again")

// await looks for the drive, until it is found, the time of grace is over, or ctx
// ends. It looks once at least, if the last look is long enough ago.
func (r *Transport) await(ctx context.Context) error {
	if r.closed {
		return errGone
	}
	for {
		err := errGone
		if wait := r.opt.Interval - time.Since(r.looked); wait <= 0 {
			err = r.look(ctx)
			r.looked = time.Now()
			if err == nil {
				return nil
			}
		}
		left := r.opt.Grace - time.Since(r.lost)
		if left <= 0 || ctx.Err() != nil {
			return err
		}
		timer := time.NewTimer(min(left, r.opt.Interval-time.Since(r.looked)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
	}
}

// look tries all candidates once.
func (r *Transport) look(ctx context.Context) error {
	var errs error
	for _, name := range r.finder.Candidates() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		t, err := r.try(ctx, name)
		if err != nil {
			errs = errors.Join(errs, fmt.Errorf("%s: %w", name, err))
			continue
		}
		r.opt.Log.Info("the drive is back", "drive", r.id, "name", name, "after", time.Since(r.lost).Round(time.Millisecond))
		r.t, r.attention = t, true
		return nil
	}
	return errors.Join(errGone, errs)
}

// try opens a candidate and makes sure that it is the drive.
func (r *Transport) try(ctx context.Context, name string) (_ mmc.Transport, err error) {
	t, err := r.finder.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.Close())
		}
	}()
	id, err := Identify(ctx, t)
	if err != nil {
		return nil, err
	}
	if !r.id.same(id) {
		return nil, fmt.Errorf("it is another drive, %v", id)
	}
	if n := limitOf(t); n < r.limit {
		return nil, fmt.Errorf("it takes only %d bytes in one command here, and %d before", n, r.limit)
	}
	return t, nil
}

// Close implements mmc.Transport.
func (r *Transport) Close() error {
	r.closed = true
	if r.t == nil {
		return nil
	}
	t := r.t
	r.t = nil
	return t.Close()
}
