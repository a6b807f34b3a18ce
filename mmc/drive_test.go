package mmc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// TestQueryRepeats has a drive fail a few times before it answers.
func TestQueryRepeats(t *testing.T) {
	for _, c := range []struct {
		fails  int
		fail   func(cmd *Command) error
		want   int // commands sent
		ok     bool
		reason string
	}{
		{0, nil, 1, true, "an answer at once"},
		{4, func(cmd *Command) error { return fail(cmd, KeyAbortedCommand, 0, 0) }, 5, true, "passing trouble"},
		{5, func(cmd *Command) error { return fail(cmd, KeyAbortedCommand, 0, 0) }, 5, false, "trouble that does not pass"},
		{20, func(cmd *Command) error { return fail(cmd, KeyNotReady, 4, 1) }, 21, true, "becoming ready takes a while"},
		{1, func(cmd *Command) error { return reply(cmd, []byte{1, 2, 3}) }, 2, true, "a garbled reply"},
		{1, func(cmd *Command) error { return fail(cmd, KeyUnitAttention, 0x28, 0) }, 1, false, "another medium is for the caller to know"},
		{1, func(cmd *Command) error { return fail(cmd, KeyIllegalRequest, 0x20, 0) }, 1, false, "an unknown command stays unknown"},
		{1, func(cmd *Command) error { return &TransportError{CDB: cmd.CDB} }, 2, true, "a lost command that only asks"},
		{1, func(cmd *Command) error {
			_ = reply(cmd, NewCapacity(99))
			return NewSenseError(cmd.CDB, NewSense(KeyRecoveredError, 0x17, 0))
		}, 1, true, "recovered: the reply is good"},
	} {
		synctest.Test(t, func(t *testing.T) {
			d, f := newFake(t, func(n int, cmd *Command) error {
				if n < c.fails {
					return c.fail(cmd)
				}
				return reply(cmd, NewCapacity(99))
			})
			got, err := d.ReadCapacity(t.Context())
			if len(f.sent) != c.want || (err == nil) != c.ok || c.ok && got.Blocks() != 100 {
				t.Errorf("%s: %d commands, %v", c.reason, len(f.sent), err)
			}
		})
	}
}

// TestNeverReady bounds how long a question waits for a drive.
func TestNeverReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _ := newFake(t, func(_ int, cmd *Command) error { return fail(cmd, KeyNotReady, 4, 1) })
		begin := time.Now()
		_, err := d.ReadCapacity(t.Context())
		if took := time.Since(begin); !errors.Is(err, ErrBecomingReady) || took < usual.Wait || took > 2*usual.Wait {
			t.Errorf("after %v: %v", took, err)
		}
	})
}

// TestExactLength has a drive that refuses every allocation length but that of
// its own reply.
func TestExactLength(t *testing.T) {
	own := trackInformationSample[:36]
	own = append([]byte{0, 34}, own[2:]...)
	d, f := newFake(t, func(_ int, cmd *Command) error {
		if n := len(cmd.Data); n != 4 && n != len(own) {
			return fail(cmd, KeyIllegalRequest, 0x24, 0)
		}
		return reply(cmd, own)
	})
	ti, err := d.ReadTrackInformation(t.Context(), ByTrack, 1)
	if err != nil || ti.Track() != 258 || len(f.sent) != 3 {
		t.Errorf("% x, %v after %d commands", ti, err, len(f.sent))
	}
	refuse, f := newFake(t, func(_ int, cmd *Command) error { return fail(cmd, KeyIllegalRequest, 0x24, 0) })
	if _, err := refuse.ReadTrackInformation(t.Context(), ByTrack, 1); !errors.Is(err, ErrInvalidField) || len(f.sent) != 2 {
		t.Errorf("a track that does not exist: %v after %d commands", err, len(f.sent))
	}
}

// TestSentOnce sends each command that changes the medium to a drive that aborts
// everything: none may be sent twice.
func TestSentOnce(t *testing.T) {
	ctx := t.Context()
	for name, run := range map[string]func(*Drive) error{
		"WRITE(10)":  func(d *Drive) error { return d.Write10(ctx, 0, make([]byte, BlockSize)) },
		"WRITE(12)":  func(d *Drive) error { return d.Write12(ctx, 0, make([]byte, BlockSize), false) },
		"CLOSE":      func(d *Drive) error { return d.CloseTrackSession(ctx, true, CloseTrack, 1) },
		"BLANK":      func(d *Drive) error { return d.Blank(ctx, true, BlankDisc) },
		"FORMAT":     func(d *Drive) error { return d.FormatUnit(ctx, NewFormatParameters(FormatDescriptor{}, 0, true)) },
		"RESERVE":    func(d *Drive) error { return d.ReserveTrack(ctx, 1) },
		"SEND OPC":   func(d *Drive) error { return d.SendOPC(ctx) },
		"START STOP": func(d *Drive) error { return d.StartStopUnit(ctx, true, Eject) },
	} {
		d, f := newFake(t, func(_ int, cmd *Command) error { return fail(cmd, KeyAbortedCommand, 0, 0) })
		if err := run(d); !errors.Is(err, ErrAborted) || len(f.sent) != 1 {
			t.Errorf("%s: sent %d times, %v", name, len(f.sent), err)
		}
	}
	short, _ := newFake(t, func(_ int, cmd *Command) error { cmd.Resid = 1; return nil })
	var re *ResponseError
	if err := short.Write10(ctx, 0, make([]byte, BlockSize)); !errors.As(err, &re) {
		t.Errorf("a write that the drive did not take whole: %v", err)
	}
}

// TestReadBlocks reads over good, marginal and bad blocks.
func TestReadBlocks(t *testing.T) {
	const bad = 50
	for _, c := range []struct {
		lba    uint32
		blocks int
		bad    func(n int, lba, blocks uint32) bool // fails this command
		ok     bool
		most   int // commands
		reason string
	}{
		{0, 100, nil, true, 4, "transfers of 32 blocks"},
		{40, 20, func(n int, _, _ uint32) bool { return n < 3 }, true, 4, "a transfer that succeeds at last"},
		{40, 20, func(_ int, _, blocks uint32) bool { return blocks > 1 }, true, 24, "blocks that can be read one by one only"},
		{40, 20, func(_ int, lba, n uint32) bool { return lba <= bad && bad < lba+n }, false, 4 + 12, "a block that cannot be read"},
	} {
		synctest.Test(t, func(t *testing.T) {
			d, f := newFake(t, func(n int, cmd *Command) error {
				lba, blocks, _ := BlockRange(cmd.CDB)
				if c.bad != nil && c.bad(n, lba, blocks) {
					return fail(cmd, KeyMediumError, 0x11, 5)
				}
				for i := range cmd.Data {
					cmd.Data[i] = byte(lba + uint32(i/BlockSize))
				}
				return nil
			})
			p := make([]byte, c.blocks*BlockSize)
			err := d.ReadBlocks(t.Context(), c.lba, p)
			if (err == nil) != c.ok || len(f.sent) > c.most {
				t.Errorf("%s: %v after %d commands", c.reason, err, len(f.sent))
			}
			if !c.ok {
				var se *SenseError
				if !errors.As(err, &se) || !bytes.Equal(se.CDB[2:6], []byte{0, 0, 0, bad}) || se.CDB[8] != 1 {
					t.Errorf("%s: %v does not name the block", c.reason, err)
				}
				return
			}
			for i := range c.blocks {
				if p[i*BlockSize] != byte(int(c.lba)+i) || p[(i+1)*BlockSize-1] != byte(int(c.lba)+i) {
					t.Fatalf("%s: block %d is wrong", c.reason, i)
				}
			}
		})
	}
	d, f := newFake(t, nil)
	for _, err := range []error{
		d.ReadBlocks(t.Context(), 0, make([]byte, 100)),
		d.ReadBlocks(t.Context(), 0xffffffff, make([]byte, BlockSize)),
		d.Write10(t.Context(), 0xfffffff0, make([]byte, 17*BlockSize)),
		d.Read10(t.Context(), 0, make([]byte, 65536*BlockSize)),
	} {
		if err == nil || len(f.sent) > 0 {
			t.Errorf("an impossible transfer: %v, sent %d", err, len(f.sent))
		}
	}
	if err := d.ReadBlocks(t.Context(), 5, nil); err != nil || len(f.sent) > 0 {
		t.Errorf("reading nothing: %v", err)
	}
}

// TestShortRead has a bridge that transfers less than it should.
func TestShortRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, f := newFake(t, func(n int, cmd *Command) error {
			if n < 2 {
				cmd.Resid = 1
			}
			return nil
		})
		if err := d.ReadBlocks(t.Context(), 0, make([]byte, 2*BlockSize)); err != nil || len(f.sent) != 3 {
			t.Errorf("%v after %d commands", err, len(f.sent))
		}
	})
}

func TestWaitReady(t *testing.T) {
	const limit = time.Minute
	for _, c := range []struct {
		answer func(n int, cmd *Command) error
		is     error // nil: success
		least  time.Duration
		most   time.Duration
		change uint64
		reason string
	}{
		{func(int, *Command) error { return nil }, nil, 0, 0, 0, "ready at once"},
		{func(n int, cmd *Command) error {
			if n < 50 {
				return fail(cmd, KeyNotReady, 4, 7)
			}
			return nil
		}, nil, 20 * time.Second, 30 * time.Second, 0, "operation in progress"},
		{func(n int, cmd *Command) error {
			switch n {
			case 0:
				return fail(cmd, KeyUnitAttention, 0x29, 0)
			case 1:
				return fail(cmd, KeyUnitAttention, 0x28, 0)
			case 2:
				return fail(cmd, KeyUnitAttention, 0x2a, 1)
			}
			return nil
		}, nil, 0, time.Second, 2, "unit attentions are counted and passed over"},
		{func() func(int, *Command) error {
			turning := false
			return func(_ int, cmd *Command) error {
				switch {
				case cmd.Opcode() == OpStartStopUnit:
					turning = cmd.CDB[4] == 0x01
				case !turning:
					return fail(cmd, KeyNotReady, 4, 2)
				}
				return nil
			}
		}(), nil, 0, time.Second, 0, "a drive that growisofs has stopped"},
		{func(_ int, cmd *Command) error { return fail(cmd, KeyNotReady, 0x3a, 1) }, ErrNoMedium, 0, 0, 0, "no medium"},
		{func(_ int, cmd *Command) error { return fail(cmd, KeyNotReady, 4, 1) }, ErrBecomingReady, limit, limit + time.Second, 0, "never ready"},
		{func(_ int, cmd *Command) error { return fail(cmd, KeyNotReady, 4, 8) }, ErrLongWrite, CloseLimit, CloseLimit + time.Second, 0, "at work for ever"},
		{func(_ int, cmd *Command) error { return fail(cmd, KeyNotReady, 4, 0) }, nil, unexplained, unexplained + time.Second, 0, "a bridge that never tells why"},
		{func(n int, cmd *Command) error {
			s := NewSense(KeyMediumError, 0x0c, 0)
			s.SetDeferred()
			return NewSenseError(cmd.CDB, s)
		}, ErrWriteError, 0, 0, 0, "the operation failed, as told afterwards"},
		{func(n int, cmd *Command) error { return &TransportError{CDB: cmd.CDB} }, errTransport, 0, 2 * time.Second, 0, "a dead cable"},
	} {
		synctest.Test(t, func(t *testing.T) {
			d, _ := newFake(t, c.answer)
			begin := time.Now()
			err := d.WaitReady(t.Context(), "a test", limit)
			took := time.Since(begin)
			te := (*TransportError)(nil)
			if c.is == nil != (err == nil) || c.is != nil && !errors.Is(err, c.is) && !(c.is == errTransport && errors.As(err, &te)) {
				t.Errorf("%s: %v", c.reason, err)
			}
			if took < c.least || took > c.most {
				t.Errorf("%s: took %v", c.reason, took)
			}
			if d.MediumChanges() != c.change {
				t.Errorf("%s: %d medium changes", c.reason, d.MediumChanges())
			}
		})
	}
}

var errTransport = errors.New("a transport error")

func TestWaitReadyCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		d, _ := newFake(t, func(_ int, cmd *Command) error { return fail(cmd, KeyNotReady, 4, 7) })
		begin := time.Now()
		if err := d.WaitReady(ctx, "a test", time.Hour); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 4*time.Second {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
	})
}

// TestTurns gives many commands at once: one runs at a time, in the order of the
// calls, and a caller that does not want to wait any longer goes away.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		running := 0
		d, f := newFake(t, func(_ int, cmd *Command) error {
			if running++; running != 1 {
				t.Error("two commands at once")
			}
			time.Sleep(time.Second)
			running--
			return nil
		})
		done := make(chan error)
		const callers = 20
		for i := range callers {
			go func() {
				ctx := t.Context()
				if i == 7 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, 3500*time.Millisecond)
					defer cancel()
				}
				err := d.Write10(ctx, uint32(i), make([]byte, BlockSize))
				if i == 7 {
					if !errors.Is(err, context.DeadlineExceeded) {
						err = fmt.Errorf("a caller that gave up: %v", err)
					} else {
						err = nil
					}
				}
				done <- err
			}()
			synctest.Wait()
		}
		for range callers {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		var order []uint32
		for _, c := range f.sent {
			lba, _, _ := BlockRange(c.CDB)
			order = append(order, lba)
		}
		if want := "[0 1 2 3 4 5 6 8 9 10 11 12 13 14 15 16 17 18 19]"; fmt.Sprint(order) != want {
			t.Errorf("order %v", order)
		}
		if err := errors.Join(d.Close(), d.Close()); err != nil || f.closed != 1 {
			t.Errorf("closing twice: %v, closed %d times", err, f.closed)
		}
		if err := d.TestUnitReady(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("a closed drive: %v", err)
		}
	})
}

// TestPageOfItsOwnLength selects write parameters on drives that take a page of
// the length only that theirs has: some have more than MMC-5, older ones less.
func TestPageOfItsOwnLength(t *testing.T) {
	for _, length := range []int{0x0e, 0x32, 0x36, 0x38} {
		own := make([]byte, 2+length)
		own[0], own[1] = 0x80|PageWriteParameters, byte(length)
		for i := 2; i < len(own); i++ {
			own[i] = 0x5a
		}
		var got []byte
		d, _ := newFake(t, func(_ int, cmd *Command) error {
			switch {
			case cmd.Opcode() == OpModeSense10:
				return reply(cmd, NewModeData(own))
			case len(cmd.Data) != 8+len(own) || int(cmd.CDB[8]) != len(cmd.Data) || cmd.Data[9] != byte(length):
				return fail(cmd, KeyIllegalRequest, 0x26, 0)
			}
			got = append([]byte(nil), cmd.Data[8:]...)
			return nil
		})
		p := NewWriteParameters()
		p.SetWriteType(WriteTAO)
		p.SetMultiSession(MultiSessionNext)
		if err := d.SelectWriteParameters(t.Context(), p); err != nil {
			t.Errorf("a page of %02Xh bytes: %v", length, err)
			continue
		}
		if got[0] != PageWriteParameters || got[2] != 0x01 || got[3] != 0xc0 || got[5] != 0 {
			t.Errorf("a page of %02Xh bytes was sent as % x", length, got)
		}
		for i, v := range got[min(len(p), len(got)):] {
			if v != 0x5a {
				t.Errorf("byte %d of the drive's own became %02Xh", len(p)+i, v)
			}
		}
	}
	d, f := newFake(t, func(_ int, cmd *Command) error {
		if cmd.Opcode() == OpModeSense10 {
			return reply(cmd, NewModeData(NewWriteParameters()))
		}
		return fail(cmd, KeyIllegalRequest, 0x26, 0)
	})
	if err := d.SelectWriteParameters(t.Context(), NewWriteParameters()); !errors.Is(err, ErrInvalidParameter) || len(f.sent) != 2 {
		t.Errorf("refused for another reason: %v after %d commands", err, len(f.sent))
	}
}
