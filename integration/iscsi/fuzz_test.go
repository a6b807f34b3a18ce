package iscsi

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"

	"burnfs/mmc"
)

// FuzzPDU: whatever is read is within its bounds, and can be written again.
func FuzzPDU(f *testing.F) {
	c := &client{t: f}
	f.Add(c.loginPDU(security|toOps, who).bytes())
	f.Add(c.command(write10(0, 1), writes(2048), withData(make([]byte, 30))).bytes())
	f.Add(c.command(inquiry, func(p *pdu) { p.header[4] = 255; p.ahs = make([]byte, 1020) }).bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		const limit = 512
		p, err := readPDU(bytes.NewReader(b), limit)
		if err != nil {
			if !errors.Is(err, errPDU) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("error %v", err)
			}
			return
		}
		if len(p.data) > limit || len(p.data) != p.dataLen() || len(p.ahs) != p.ahsLen() {
			t.Fatalf("%d bytes of data, %d of header", len(p.data), len(p.ahs))
		}
		again, err := readPDU(bytes.NewReader(p.bytes()), limit)
		if err != nil || again.header != p.header || !bytes.Equal(again.data, p.data) || !bytes.Equal(again.ahs, p.ahs) {
			t.Fatalf("%v, %v is read back from %v", err, again, p)
		}
	})
}

// FuzzText: what is accepted can be written and reads the same.
func FuzzText(f *testing.F) {
	f.Add([]byte("InitiatorName=iqn.2024-01.test:me\x00SessionType=Normal\x00"))
	f.Add([]byte("A=B=C\x00\x00\x00D="))
	f.Add([]byte("X#Node.Arch-1=a,b\x00X+y@z/_=0x1"))
	f.Add([]byte("=\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		pairs, err := parseText(b)
		if err != nil {
			if !errors.Is(err, errPDU) {
				t.Fatalf("error %v", err)
			}
			return
		}
		again, err := parseText(formatText(pairs))
		if err != nil || !slices.Equal(again, pairs) {
			t.Fatalf("%q became %q, %v", pairs, again, err)
		}
		params := defaultParameters()
		for _, p := range pairs {
			for _, now := range []phase{inSecurity, inOperational, inFullFeature} {
				params.answer(p, now)
			}
		}
		if params.sendSegment < 512 || params.burst < 512 || params.burst > maxBurst || params.firstBurst > maxFirstBurst {
			t.Fatalf("%q makes %+v", pairs, params)
		}
	})
}

// FuzzSession: whatever an initiator sends after its login, the target neither
// panics nor hangs, and nothing is left when it hangs up.
func FuzzSession(f *testing.F) {
	seed := func(change func(c *client) [][]byte) {
		f.Add(slices.Concat(change(&client{t: f})...))
	}
	seed(func(c *client) [][]byte {
		return [][]byte{c.command(inquiry, reads(96)).bytes(), c.request(opLogout).bytes()}
	})
	seed(func(c *client) [][]byte {
		w := c.command(write10(0, 4), writes(8192), withData(make([]byte, 64)))
		r2t := new(pdu)
		r2t.setITT(w.itt())
		r2t.setTTT(1)
		return [][]byte{w.bytes(), c.manage(abortTask, 99).bytes(),
			c.dataOut(r2t, 0, 64, make([]byte, 2000), false).bytes(), c.dataOut(r2t, 1, 2064, make([]byte, 6128), true).bytes()}
	})
	seed(func(c *client) [][]byte {
		open := c.request(opText, withText("SendTargets="), func(p *pdu) { p.header[1] = flagContinue; p.setTTT(noTag) })
		rest := c.request(opText, withText("A=B"), func(p *pdu) { p.setTTT(1) })
		return [][]byte{open.bytes(), rest.bytes(), c.manage(logicalReset, noTag).bytes(), c.command(testUnitReady).bytes()}
	})
	f.Fuzz(func(t *testing.T, b []byte) {
		synctest.Test(t, func(t *testing.T) {
			target, net := newTestTarget(t, &drive{execute: func(cmd *mmc.Command) error {
				if len(cmd.CDB) == 0 || len(cmd.Data) > maxTransfer {
					t.Errorf("command % x with %d bytes", cmd.CDB, len(cmd.Data))
				}
				cmd.Resid = 0
				return nil
			}})
			c := net.dial(t)
			c.login(who, "")
			c.write(b)
			synctest.Wait()
			_ = c.conn.Close()
			synctest.Wait()
			if len(target.links) != 0 || len(target.nodes[testName].sessions) != 0 {
				t.Error("something is left")
			}
		})
	})
}
