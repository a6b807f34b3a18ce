package iscsi

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"burnfs/mmc"
)

// slowDrive takes a second of fake time for each command.
func slowDrive() *drive {
	return &drive{execute: func(cmd *mmc.Command) error {
		time.Sleep(time.Second)
		cmd.Resid = 0
		return nil
	}}
}

func (c *client) window(p *pdu) (size int32) { return int32(p.u32(32)-p.u32(28)) + 1 }

// TestWindow: commands up to MaxCmdSN are queued, those beyond and those that came
// already are ignored.
func TestWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := slowDrive()
		_, net := newTestTarget(t, d)
		c := net.dial(t)
		c.login(who, "")
		before := c.itt
		for range Depth {
			c.send(c.command(testUnitReady))
		}
		synctest.Wait()
		c.quiet()
		c.send(c.command(inquiry, reads(96))) // one too many
		c.cmdSN--
		c.send(c.command(inquiry, reads(96), func(p *pdu) { p.put32(24, 0) })) // came already
		c.cmdSN--
		c.send(c.request(opNopOut, immediately(c), func(p *pdu) { p.setTTT(noTag) }))
		if p := c.want(opNopIn); c.window(p) != 0 || p.u32(28) != c.cmdSN {
			t.Errorf("with a full queue ExpCmdSN is %d and the window %d wide", p.u32(28), c.window(p))
		}
		for n := range int32(Depth) {
			if p := c.want(opSCSIResponse); c.window(p) != n+1 || p.itt() != before+uint32(n)+1 {
				t.Fatalf("after %d answers the window is %d wide, and this is the one for tag %d", n+1, c.window(p), p.itt()-before)
			}
		}
		c.do(testUnitReady).wantGood(t)
		if got := d.said(); got != strings.Repeat("TEST UNIT READY,", Depth)+"TEST UNIT READY" {
			t.Errorf("the drive heard %s", got)
		}
	})
}

// TestImmediate: the window does not hold back what is marked for immediate
// delivery, but there is an end to that.
func TestImmediate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, net := newTestTarget(t, slowDrive())
		c := net.dial(t)
		c.login(who, "")
		for range Depth {
			c.send(c.command(testUnitReady))
		}
		last := c.itt
		for range maxImmediate {
			c.send(c.command(testUnitReady, immediately(c)))
		}
		c.send(c.command(testUnitReady, immediately(c)))
		if p := c.want(opReject); rejectReason(p.header[2]) != rejectTooManyImmediate {
			t.Errorf("reason %02X", p.header[2])
		}
		c.send(c.manage(abortTask, last))
		if p := c.want(opReject); rejectReason(p.header[2]) != rejectTooManyImmediate {
			t.Errorf("reason %02X", p.header[2])
		}
		for range Depth + maxImmediate - 1 { // without the aborted one
			c.want(opSCSIResponse)
		}
		c.do(testUnitReady, immediately(c)).wantGood(t)
	})
}

func TestTagInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, net := newTestTarget(t, slowDrive())
		c := net.dial(t)
		c.login(who, "")
		c.send(c.command(testUnitReady))
		c.itt--
		c.send(c.command(testUnitReady))
		if p := c.want(opReject); rejectReason(p.header[2]) != rejectInvalidField {
			t.Errorf("reason %02X", p.header[2])
		}
		c.want(opSCSIResponse)
		c.itt--
		c.do(testUnitReady).wantGood(t)
	})
}

// manage makes a task management function about the task with a tag.
func (c *client) manage(function byte, tag uint32, change ...func(*pdu)) *pdu {
	p := c.request(opTaskMgmt, immediately(c), func(p *pdu) {
		p.header[1] |= function
		p.put32(20, tag)
	})
	for _, f := range change {
		f(p)
	}
	return p
}

func (c *client) wantFunction(answer uint8) {
	c.t.Helper()
	if p := c.want(opTaskMgmtResp); p.header[2] != answer {
		c.t.Errorf("task management is answered with %d, want %d", p.header[2], answer)
	}
}

func TestAbortTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := slowDrive()
		_, net := newTestTarget(t, d)
		c := net.dial(t)
		c.login(who, "")

		// One that waits ends at its turn, without a trace.
		c.send(c.command(testUnitReady))
		c.send(c.command(inquiry, reads(96)))
		waiting := c.itt
		c.send(c.manage(abortTask, waiting))
		synctest.Wait()
		c.quiet()
		c.want(opSCSIResponse)
		c.wantFunction(functionComplete)
		if got := d.said(); got != "TEST UNIT READY" {
			t.Errorf("the drive heard %s", got)
		}

		// One that the drive executes runs to its end, and is not answered.
		began := time.Now()
		c.send(c.command(testUnitReady))
		synctest.Wait()
		c.send(c.manage(abortTask, c.itt))
		c.wantFunction(functionComplete)
		if took := time.Since(began); took != time.Second {
			t.Errorf("told of the end after %v", took)
		}

		// One that waits for data.
		c.send(c.command(write10(0, 1), writes(2048)))
		r2t := c.want(opR2T)
		c.send(c.manage(abortTask, c.itt))
		c.wantFunction(functionComplete)
		c.send(c.dataOut(r2t, 0, 0, make([]byte, 2048), true))

		// One that has ended.
		c.send(c.manage(abortTask, waiting))
		c.wantFunction(taskDoesNotExist)
		d.said()
		c.do(testUnitReady).wantGood(t)
		if got := d.said(); got != "TEST UNIT READY" {
			t.Errorf("the drive heard %s", got)
		}
	})
}

func TestTaskManagementAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, net := newTestTarget(t, &drive{})
		c := net.dial(t)
		c.login(who, "")
		for _, row := range []struct {
			reason   string
			function byte
			change   []func(*pdu)
			want     uint8
		}{
			{"nothing to abort", abortTaskSet, nil, functionComplete},
			{"nothing to clear", clearTaskSet, nil, functionComplete},
			{"another logical unit's tasks", abortTaskSet, []func(*pdu){withLUN(1)}, lunDoesNotExist},
			{"another logical unit", logicalReset, []func(*pdu){withLUN(1)}, lunDoesNotExist},
			{"ACA", clearACA, nil, functionNotSupported},
			{"cold reset", targetColdReset, nil, functionNotSupported},
			{"reassignment", taskReassign, nil, reassignNotSupported},
		} {
			t.Log(row.reason)
			c.send(c.manage(row.function, noTag, row.change...))
			c.wantFunction(row.want)
		}
		c.do(testUnitReady).wantGood(t)
	})
}

// TestReset: resets end the tasks of all sessions and are heard by all; CLEAR TASK
// SET is heard by the others.
func TestReset(t *testing.T) {
	for _, row := range []struct {
		reason      string
		function    byte
		own, others *condition
	}{
		{"logical unit reset", logicalReset, &senseUnitReset, &senseUnitReset},
		{"target warm reset", targetWarmReset, &senseUnitReset, &senseUnitReset},
		{"clear task set", clearTaskSet, nil, &senseClearedByOthers},
	} {
		t.Run(row.reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := slowDrive()
				_, net := newTestTarget(t, d)
				one, two := net.dial(t), net.dial(t)
				one.login(who, "")
				two.login(strings.Replace(who, ":me", ":you", 1), "")
				two.send(two.command(testUnitReady))
				synctest.Wait()
				one.send(one.command(testUnitReady))
				one.send(one.manage(row.function, noTag))
				one.wantFunction(functionComplete)
				two.quiet()
				for c, want := range map[*client]*condition{one: row.own, two: row.others} {
					c.do(inquiry, reads(96)).wantGood(t) // does not hear of it
					if want != nil {
						c.do(testUnitReady).wantSense(t, *want)
					}
					c.do(testUnitReady).wantGood(t)
				}
				if got := d.said(); got != "TEST UNIT READY"+strings.Repeat(",INQUIRY,TEST UNIT READY", 2) {
					t.Errorf("the drive heard %s", got)
				}
			})
		})
	}
}

// TestRequestSenseEndsAttention: SPC-3 6.27.
func TestRequestSenseEndsAttention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, net := newTestTarget(t, &drive{})
		c := net.dial(t)
		c.login(who, "")
		c.send(c.manage(logicalReset, noTag))
		c.wantFunction(functionComplete)
		r := c.do([]byte{3, 0, 0, 0, 18, 0}, reads(18))
		r.wantGood(t)
		if s := mmc.Sense(r.data); len(s) != 18 || s.Key() != mmc.KeyUnitAttention || s.ASC() != 0x29 {
			t.Errorf("REQUEST SENSE tells % x", r.data)
		}
		c.do(testUnitReady).wantGood(t)
	})
}

// TestOutcomes: what drives answer, and what becomes of it.
func TestOutcomes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &drive{}
		_, net := newTestTarget(t, d)
		c := net.dial(t)
		c.login(who, "")
		sense := mmc.NewSense(mmc.KeyMediumError, 0x11, 0)
		for _, row := range []struct {
			reason           string
			err              error
			status, response uint8
			sense            string
		}{
			{"good", nil, 0, 0, ""},
			{"medium error", mmc.NewSenseError(testUnitReady, sense), 2, 0, string(sense)},
			{"wrapped", errors.Join(errors.New("x"), mmc.NewSenseError(testUnitReady, sense)), 2, 0, string(sense)},
			{"busy", &mmc.TransportError{Status: 0x08}, 8, 0, ""},
			{"lost", &mmc.TransportError{Err: errors.New("x")}, 0, 1, ""},
			{"anything else", errors.New("x"), 0, 1, ""},
		} {
			d.execute = func(cmd *mmc.Command) error { cmd.Resid = 0; return row.err }
			if r := c.do(testUnitReady); r.status != row.status || r.response != row.response || string(r.sense) != row.sense {
				t.Errorf("%s: status %d, response %d, sense % x", row.reason, r.status, r.response, r.sense)
			}
		}
		// What was read before the error comes along.
		d.execute = func(cmd *mmc.Command) error {
			cmd.Resid = 2048
			return mmc.NewSenseError(cmd.CDB, sense)
		}
		r := c.do(read10(0, 2), reads(4096))
		r.wantSense(t, condition{mmc.KeyMediumError, 0x11, 0})
		if len(r.data) != 2048 || r.flags != 0x02 || r.residual != 2048 {
			t.Errorf("%d bytes, residual %X %d", len(r.data), r.flags, r.residual)
		}
	})
}
