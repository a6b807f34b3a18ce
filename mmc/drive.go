package mmc

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"
)

// ErrClosed is returned by the methods of a closed Drive.
var ErrClosed = errors.New("the drive is closed")

// Drive is an optical drive. Its methods may be called by several goroutines;
// the drive serves one command at a time, in the order of the calls.
//
// Methods that only ask, and those whose command may be given twice without
// harm, repeat it as [Advice] says, within bounds. Methods that change the medium
// send their command exactly once.
type Drive struct {
	log     *slog.Logger
	turn    chan struct{} // holds a token while a command runs
	t       Transport     // nil when closed; used only while holding the turn
	limit   int           // bytes of a READ or WRITE
	changes atomic.Uint64

	claimed bool   // see Claim; with the turn
	claim   uint64 // changes of the medium that was claimed; with the turn
	late    error  // of a WRITE, met by another command; with the turn
	locked  bool   // the door, by this Drive; with the turn
}

// NewDrive makes a Drive of a transport, which it owns from then on. It logs
// commands at level debug, and as warnings what is unusual; nil discards that.
func NewDrive(t Transport, log *slog.Logger) *Drive {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Drive{log: log, turn: make(chan struct{}, 1), t: t, limit: transferLimit(t)}
}

// NotWritableReason says why nothing can be written through the transport, as a
// sentence for the user; empty if that is not so.
func (d *Drive) NotWritableReason() string {
	d.turn <- struct{}{}
	defer func() { <-d.turn }()
	if p, ok := find[Protector](d.t); ok {
		return p.NotWritableReason()
	}
	return ""
}

// Stale reports whether other programs, which read through the operating system,
// see less than capacity blocks of the medium. Ejecting and loading it helps.
func (d *Drive) Stale(capacity uint32) bool {
	d.turn <- struct{}{}
	defer func() { <-d.turn }()
	r, ok := find[Rememberer](d.t)
	return ok && r.Stale(capacity)
}

// MaxTransfer returns how many bytes one READ or WRITE may carry: [MaxTransfer],
// or less if the way to the drive is narrower. It is a whole number of blocks.
func (d *Drive) MaxTransfer() int { return d.limit }

// Close waits for the running command, unlocks the door if this Drive has locked
// it, and closes the transport. Closing twice does nothing.
func (d *Drive) Close() error {
	d.turn <- struct{}{}
	defer func() { <-d.turn }()
	if d.t == nil {
		return nil
	}
	d.unlock()
	t := d.t
	d.t = nil
	return t.Close()
}

// MediumChanges counts how often the drive has announced that its medium may
// have changed (6/28/xx) or that it was reset (6/29/xx). Whoever has planned something for a
// medium compares the count before acting.
func (d *Drive) MediumChanges() uint64 { return d.changes.Load() }

// execute sends one command once. Data that a command returned although it
// ended with an error stays in cmd.Data.
func (d *Drive) execute(ctx context.Context, cmd *Command) error {
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-d.turn }()
	if d.t == nil {
		return ErrClosed
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := d.claimError(cmd); err != nil {
		return err
	}
	begin := time.Now()
	err := d.t.Execute(ctx, cmd)
	if d.keepLate(cmd, err) {
		d.log.Warn("the drive reports a failed write to who reads", "err", err)
		cmd.Resid = 0
		err = d.t.Execute(ctx, cmd)
	}
	if cmd.Opcode() == OpPreventAllowRemoval && (err == nil || uncertain(err)) {
		d.locked = cmd.CDB[4]&1 != 0
	}
	if errors.Is(err, ErrMediumChanged) || errors.Is(err, ErrReset) {
		d.changes.Add(1)
	}
	if d.log.Enabled(ctx, slog.LevelDebug) {
		d.log.LogAttrs(ctx, slog.LevelDebug, "command",
			slog.String("what", describe(cmd.CDB)), slog.Duration("took", time.Since(begin)),
			slog.Int("bytes", len(cmd.Data)-cmd.Resid), slog.Any("err", err))
	}
	return err
}

// uncertain reports whether the drive may have executed a command nevertheless.
func uncertain(err error) bool {
	te, ok := errors.AsType[*TransportError](err)
	return ok && !te.Unsent
}

// send executes a command that changes something, with or without data for the
// drive. A condition that the drive has recovered from is no error.
func (d *Drive) send(ctx context.Context, cdb, data []byte, timeout time.Duration) error {
	cmd := &Command{CDB: cdb, Data: data, Timeout: timeout}
	if len(data) > 0 {
		cmd.Direction = ToDrive
	}
	err := d.execute(ctx, cmd)
	if err != nil {
		if Advice(err) == Proceed {
			d.log.Warn("the drive recovered from an error", "err", err)
			return nil
		}
		return err
	}
	if cmd.Resid != 0 {
		return newResponseError(cmd.Opcode(), nil, "only %d of %d bytes were transferred", len(data)-cmd.Resid, len(data))
	}
	return nil
}

// set sends a command that may be given twice without harm, and repeats it as
// Advice says.
func (d *Drive) set(ctx context.Context, cdb, data []byte) error {
	return usual.Repeat(ctx, func() error { return d.send(ctx, cdb, data, timeoutQuery) })
}

// query executes a command that only asks, fills data with the reply and hands
// what was transferred to parse. It repeats the command as Advice says.
func query[R any](ctx context.Context, d *Drive, cdb, data []byte, parse func([]byte) (R, error)) (r R, err error) {
	err = usual.Repeat(ctx, func() error {
		r, err = queryOnce(ctx, d, cdb, data, parse)
		return err
	})
	return r, err
}

func queryOnce[R any](ctx context.Context, d *Drive, cdb, data []byte, parse func([]byte) (R, error)) (R, error) {
	var none R
	clear(data)
	cmd := &Command{CDB: cdb, Data: data, Timeout: timeoutQuery}
	if len(data) > 0 {
		cmd.Direction = FromDrive
	}
	if err := d.execute(ctx, cmd); err != nil {
		if Advice(err) != Proceed {
			return none, err
		}
		d.log.Warn("the drive recovered from an error", "err", err)
	}
	return parse(cmd.Transferred())
}
