package faulty

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"burnfs/mmc"
)

// forGood is a duration without end.
const forGood time.Duration = -1

// refusal answers with sense data.
type refusal struct {
	key       mmc.SenseKey
	asc, ascq uint8
	deferred  bool // it blames an earlier command
	done      bool // the drive has done the command nevertheless
}

func (e refusal) fault(*presence) Fault {
	f := CheckCondition(e.key, e.asc, e.ascq)
	if e.deferred {
		f = Deferred(e.key, e.asc, e.ascq)
	}
	if e.done {
		f = After(f)
	}
	if e.key != mmc.KeyUnitAttention || e.asc != 0x28 && e.asc != 0x29 {
		return f
	}
	// A drive that says it was reset, or its medium exchanged, was.
	return func(ctx context.Context, drive mmc.Transport, cmd *mmc.Command) error {
		err := f(ctx, drive, cmd)
		if d, able := drive.(resetter); able {
			if rerr := d.Reset(); rerr != nil {
				return errors.Join(err, rerr)
			}
			// What the drive itself has to say about that was said just now.
			_ = drive.Execute(ctx, &mmc.Command{CDB: make([]byte, mmc.OpTestUnitReady.CDBLen()), Timeout: cmd.Timeout})
		}
		return err
	}
}

// hang makes a command take longer; one that takes longer than its timeout is
// given up and was not done.
type hang struct{ d time.Duration } // forGood: until the timeout

func (e hang) fault(*presence) Fault {
	lost := Hang()
	return func(ctx context.Context, drive mmc.Transport, cmd *mmc.Command) error {
		if e.d == forGood || e.d >= cmd.Timeout {
			return lost(ctx, drive, cmd)
		}
		time.Sleep(e.d) // whatever the context says: a command that has left runs to its end
		return drive.Execute(ctx, cmd)
	}
}

// short moves fewer bytes.
type short struct{ bytes int }

func (e short) fault(*presence) Fault { return Short(e.bytes) }

// lie reports success for nothing. A reply is all zeros.
type lie struct{}

func (lie) fault(*presence) Fault {
	pretend := Pretend()
	return func(ctx context.Context, drive mmc.Transport, cmd *mmc.Command) error {
		if cmd.Direction == mmc.FromDrive {
			clear(cmd.Data)
		}
		return pretend(ctx, drive, cmd)
	}
}

// answer puts other bytes into the reply.
type answer struct {
	bytes string
	at    int
}

func (e answer) fault(*presence) Fault {
	return Garble(func(reply []byte) {
		if e.at < len(reply) {
			copy(reply[e.at:], e.bytes)
		}
	})
}

// lostAnswer is a cable that breaks on the way back.
type lostAnswer struct{}

func (lostAnswer) fault(*presence) Fault { return After(Lost()) }

// lostCommand is a cable that breaks on the way there.
type lostCommand struct{}

func (lostCommand) fault(*presence) Fault { return Lost() }

// vanish takes the cable out and puts it in again.
type vanish struct{ d time.Duration }

func (e vanish) fault(p *presence) Fault {
	return p.away(e.d, func(drive mmc.Transport) func() error {
		if d, able := drive.(resetter); able {
			return d.Reset
		}
		return nil
	})
}

// away is a drive that goes for d and does not get the command. What the drive does
// when it comes back, and tells by itself then, is asked of it with back; nil is
// nothing.
func (p *presence) away(d time.Duration, back func(drive mmc.Transport) func() error) Fault {
	lost := Lost()
	return func(ctx context.Context, drive mmc.Transport, cmd *mmc.Command) error {
		comes := back(drive)
		p.leave(d, comes == nil)
		err := lost(ctx, drive, cmd)
		if comes != nil {
			err = errors.Join(err, comes())
		}
		return err
	}
}

// resetter is a drive that can do what a drive does when it is connected anew.
// It reports 6/29/00 to the next command by itself.
type resetter interface{ Reset() error }

// powerCut takes the power away and, maybe, gives it back.
type powerCut struct{ d time.Duration }

// powerLoser is a drive that can do what a drive does when its power fails. It
// reports 6/29/00 to the next command by itself.
type powerLoser interface{ LosePower() error }

func (e powerCut) fault(p *presence) Fault {
	return p.away(e.d, func(drive mmc.Transport) func() error {
		if d, able := drive.(powerLoser); able {
			return d.LosePower
		}
		return nil
	})
}

func (e refusal) String() string {
	s := "sense"
	if e.deferred {
		s = "deferred"
	}
	s = fmt.Sprintf("%s %X/%02X/%02X", s, uint8(e.key), e.asc, e.ascq)
	if e.done {
		s += " done"
	}
	return s
}

func (e hang) String() string {
	if e.d == forGood {
		return "hang"
	}
	return "hang " + e.d.String()
}

func (e short) String() string { return fmt.Sprintf("short %d", e.bytes) }
func (lie) String() string     { return "lie" }

func (e answer) String() string {
	s := "answer " + hex.EncodeToString([]byte(e.bytes))
	if e.at > 0 {
		s += fmt.Sprintf(" from %d", e.at)
	}
	return s
}

func (lostAnswer) String() string  { return "lost-answer" }
func (lostCommand) String() string { return "never-arrives" }
func (e vanish) String() string    { return "vanish" + forText(e.d) }
func (e powerCut) String() string  { return "lose-power" + forText(e.d) }

func forText(d time.Duration) string {
	switch d {
	case forGood:
		return " for good"
	case 0:
		return ""
	}
	return " for " + d.String()
}
