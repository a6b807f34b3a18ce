package iscsi

import (
	"context"
	"errors"
	"sync"
	"time"

	"burnfs/mmc"
)

// commandTimeout is what drives are told. It never ends a command that an
// initiator would still wait for: initiators have time limits of their own.
const commandTimeout = 4 * time.Hour

// unit is logical unit 0 of a target: a drive that several sessions share.
type unit struct {
	name  string
	drive mmc.Transport
	turn  chan struct{} // holds a token while a command is executed

	// attention is a unit attention that a command of our own heard. Guarded by
	// turn.
	attention *mmc.SenseError

	mu         sync.Mutex        // guards the below
	preventing map[*session]bool // who prevents medium removal
}

func newUnit(name string, drive mmc.Transport) *unit {
	return &unit{name: name, drive: drive, turn: make(chan struct{}, 1), preventing: make(map[*session]bool)}
}

// begin waits for the unit's turn, unless ctx ends before.
func (u *unit) begin(ctx context.Context) error {
	select {
	case u.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (u *unit) done() { <-u.turn }

// execute executes a command of a session when no other one is executed, unless
// ctx ends before that.
func (u *unit) execute(ctx context.Context, s *session, l lun, cmd *mmc.Command) outcome {
	cmd.Resid = len(cmd.Data)
	if err := u.begin(ctx); err != nil {
		return outcome{}
	}
	defer u.done()
	if ctx.Err() != nil { // both were possible
		return outcome{}
	}
	var err error
	if l.zero() {
		err = u.answer(s, cmd)
	} else {
		err = answerWrongLUN(cmd)
	}
	if err == nil {
		return outcome{}
	}
	if se, ok := errors.AsType[*mmc.SenseError](err); ok {
		return outcome{status: statusCheckCondition, sense: se.Raw}
	}
	s.log.Warn("iSCSI target: the drive did not answer", "target", u.name, "err", err)
	if te, ok := errors.AsType[*mmc.TransportError](err); ok && te.Status != 0 {
		return outcome{status: te.Status}
	}
	return outcome{lost: true}
}

// toDrive hands a command to the drive.
func (u *unit) toDrive(cmd *mmc.Command) error {
	return u.drive.Execute(context.Background(), cmd)
}

// preventAllow keeps book of who prevents medium removal: it is allowed when
// nobody does (SPC-3 6.13).
func (u *unit) preventAllow(s *session, cmd *mmc.Command) error {
	prevent := cmd.CDB[4]&1 != 0
	if !prevent && u.release(s) == stillPrevented {
		return nil
	}
	err := u.toDrive(cmd)
	if err == nil && prevent {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.preventing[s] = true
	}
	return err
}

// released is what a session's end of prevention means for the door.
type released uint8

const (
	notPreventing  released = iota // the session had nothing to end
	nowAllowed                     // nobody else prevents removal
	stillPrevented                 // somebody else does
)

// release forgets that a session prevents medium removal.
func (u *unit) release(s *session) released {
	u.mu.Lock()
	defer u.mu.Unlock()
	had := u.preventing[s]
	delete(u.preventing, s)
	switch {
	case len(u.preventing) > 0:
		return stillPrevented
	case had:
		return nowAllowed
	}
	return notPreventing
}

// allowRemoval ends what a session prevented (SPC-3 6.13: I_T nexus loss). It
// waits for the drive only if there is something to end.
func (u *unit) allowRemoval(s *session) {
	if u.release(s) != nowAllowed {
		return
	}
	u.turn <- struct{}{}
	defer u.done()
	u.allow(s)
}

// reset does what is left of a logical unit reset when the tasks of all sessions
// have ended: it waits for a command of a session that is gone, and then nobody
// prevents medium removal any more (SPC-3 6.13).
func (u *unit) reset(s *session) {
	if u.begin(s.over) != nil {
		return
	}
	defer u.done()
	u.mu.Lock()
	locked := len(u.preventing) > 0
	clear(u.preventing)
	u.mu.Unlock()
	if locked {
		u.allow(s)
	}
}

// allow unlocks the door for nobody in particular, unless somebody was faster and
// prevents removal again. A unit attention that the drive tells on that occasion
// is kept for the next initiator.
func (u *unit) allow(s *session) {
	u.mu.Lock()
	locked := len(u.preventing) > 0
	u.mu.Unlock()
	if locked {
		return
	}
	cmd := &mmc.Command{CDB: []byte{byte(mmc.OpPreventAllowRemoval), 0, 0, 0, 0, 0}, Timeout: commandTimeout}
	err := u.toDrive(cmd)
	if errors.Is(err, mmc.ErrUnitAttention) {
		u.attention, _ = errors.AsType[*mmc.SenseError](err)
		err = u.toDrive(cmd)
	}
	if err != nil {
		s.log.Warn("iSCSI target: medium removal stays prevented", "target", u.name, "err", err)
	}
}
