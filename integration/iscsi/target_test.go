package iscsi

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"burnfs/mmc"
)

// TestDrop pulls the cable while a command runs: it runs to its end, those behind
// it are forgotten, and nobody gets in until the cable is back.
func TestDrop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := slowDrive()
		target, net := newTestTarget(t, d)
		c, discovering, half := net.dial(t), net.dial(t), net.dial(t)
		c.login(who, "")
		discovering.login("InitiatorName=iqn.2024-01.test:me SessionType=Discovery ", "")
		half.send(half.loginPDU(security|toOps, who))
		half.wantLogin(0)
		c.send(c.command(testUnitReady))
		c.send(c.command(inquiry, reads(96)))
		synctest.Wait()
		target.Drop()
		for _, c := range []*client{c, discovering, half} {
			c.wantEnd()
		}
		net.dial(t).wantEnd()
		if got := d.said(); got != "TEST UNIT READY" {
			t.Errorf("the drive heard %s", got)
		}

		target.Restore()
		began := time.Now()
		c = net.dial(t)
		c.login(who, "")
		c.do(testUnitReady).wantGood(t)
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("the command took %v: the one before it was not waited for", took)
		}
		if got := d.said(); got != "TEST UNIT READY" {
			t.Errorf("the drive heard %s", got)
		}
	})
}

// TestCloseWaits: after Close nothing reaches the drive.
func TestCloseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		target, net := newTestTarget(t, slowDrive())
		c := net.dial(t)
		c.login(who, "")
		c.send(c.command(testUnitReady))
		c.send(c.command(testUnitReady))
		synctest.Wait()
		if err := target.Close(); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("closed after %v", took)
		}
		c.wantEnd()
	})
}

// TestReinstatement: who logs in again loses the old session, others do not.
func TestReinstatement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, net := newTestTarget(t, &drive{})
		old, other, again := net.dial(t), net.dial(t), net.dial(t)
		old.login(who, "")
		other.login(strings.Replace(who, ":me", ":you", 1), "")
		again.login(who, "")
		old.wantEnd()
		other.do(testUnitReady).wantGood(t)
		again.do(testUnitReady).wantGood(t)
	})
}

func TestTooManyConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, net := newTestTarget(t, &drive{})
		all := make([]*client, maxConnections)
		for i := range all {
			all[i] = net.dial(t)
		}
		net.dial(t).wantEnd()
		all[0].login(who, "")
		all[0].do(testUnitReady).wantGood(t)
		_ = all[1].conn.Close()
		synctest.Wait()
		c := net.dial(t)
		c.login(strings.Replace(who, ":me", ":you", 1), "")
	})
}

// TestDeafInitiator: an initiator that reads nothing holds nobody else up for
// ever.
func TestDeafInitiator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, net := newTestTarget(t, &drive{})
		c := net.dial(t)
		c.login(who, "")
		deaf := net.connect()
		d := &client{t: t, conn: deaf}
		d.send(d.loginPDU(security|toFull, strings.Replace(who, ":me", ":deaf", 1)))
		c.do(testUnitReady).wantGood(t)
		time.Sleep(segmentTimeout + time.Second) // fake time: the target gives up
		if _, err := deaf.Write([]byte{0}); err == nil {
			t.Error("the connection is still there")
		}
		c.do(testUnitReady).wantGood(t)
	})
}

// TestPrevention: SPC-3 6.13. Removal is prevented while any session prevents it.
func TestPrevention(t *testing.T) {
	const prevent, allow = "PREVENT", "ALLOW"
	synctest.Test(t, func(t *testing.T) {
		d := &drive{}
		var door []string
		attention := false
		d.execute = func(cmd *mmc.Command) error {
			cmd.Resid = 0
			if cmd.Opcode() != mmc.OpPreventAllowRemoval {
				return nil
			}
			if attention {
				attention = false
				return mmc.NewSenseError(cmd.CDB, mmc.NewSense(mmc.KeyUnitAttention, 0x28, 0))
			}
			door = append(door, map[byte]string{0: allow, 1: prevent}[cmd.CDB[4]])
			return nil
		}
		_, net := newTestTarget(t, d)
		one, two := net.dial(t), net.dial(t)
		one.login(who, "")
		two.login(strings.Replace(who, ":me", ":you", 1), "")
		order := func(c *client, v byte) {
			t.Helper()
			c.do([]byte{0x1e, 0, 0, 0, v, 0}).wantGood(t)
		}
		check := func(reason string, want ...string) {
			t.Helper()
			synctest.Wait()
			if strings.Join(door, ",") != strings.Join(want, ",") {
				t.Errorf("%s: the drive heard %v, want %v", reason, door, want)
			}
			door = nil
		}
		order(one, 1)
		order(two, 1)
		check("both prevent", prevent, prevent)
		order(one, 0)
		check("the other one still prevents")
		_ = two.conn.Close()
		check("the other one is gone", allow)
		order(one, 0)
		check("allowed twice", allow)
		order(one, 1)
		one.send(one.manage(logicalReset, noTag))
		one.wantFunction(functionComplete)
		check("reset", prevent, allow)

		one.do(testUnitReady).wantSense(t, senseUnitReset)
		two = net.dial(t)
		two.login(strings.Replace(who, ":me", ":you", 1), "")
		order(two, 1)
		attention = true
		_ = two.conn.Close()
		check("gone while the drive has something to tell", prevent, allow)
		one.do(testUnitReady).wantSense(t, condition{mmc.KeyUnitAttention, 0x28, 0})
		one.do(testUnitReady).wantGood(t)
	})
}

// TestHungDrive: initiators that come and go while the drive hangs leave nothing
// behind but the one command.
func TestHungDrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &drive{execute: func(cmd *mmc.Command) error {
			time.Sleep(time.Hour) // fake time: longer than any initiator waits
			return &mmc.TransportError{CDB: cmd.CDB}
		}}
		target, net := newTestTarget(t, d)
		for range 3 * maxConnections {
			c := net.dial(t)
			c.login(who, "")
			c.send(c.command(testUnitReady))
			c.send(c.command([]byte{0x1e, 0, 0, 0, 1, 0}))
			c.send(c.command(write10(0, 1), writes(2048)))
			c.send(c.manage(logicalReset, noTag))
			synctest.Wait()
			c.mu.Lock()
			for _, p := range c.pdus {
				t.Errorf("%v comes: % x", p.opcode(), p.header)
			}
			c.mu.Unlock()
			_ = c.conn.Close()
			synctest.Wait()
		}
		target.mu.Lock()
		left := len(target.links)
		target.mu.Unlock()
		if got := d.said(); left != 1 || got != "TEST UNIT READY" {
			t.Errorf("%d connections are left, the drive heard %s", left, got)
		}
	})
}
