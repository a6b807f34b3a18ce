package iscsi

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"testing/synctest"

	"burnfs/mmc"
)

// TestSPC: what the drive does not know is answered all the same.
func TestSPC(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, net := newTestTarget(t, newEmu(t))
		c := net.dial(t)
		c.login(who, "")
		c.do(testUnitReady) // unit attention
		name := hex.EncodeToString([]byte(testName))
		for _, row := range []struct {
			reason string
			cdb    string
			lun    uint16
			want   string // "" and a prefix is enough if it ends in …
			sense  condition
		}{
			{"the logical units", "a00000000000000000400000", 0, "0000000800000000" + "0000000000000000", condition{}},
			{"well known logical units", "a00001000000000000400000", 0, "0000000000000000", condition{}},
			{"the logical units, asked elsewhere", "a00000000000000000400000", 5, "0000000800000000" + "0000000000000000", condition{}},
			{"too little room", "a000000000000000000f0000", 0, "", senseInvalidField},
			{"unknown choice", "a00011000000000000400000", 0, "", senseInvalidField},
			{"VPD pages", "120100006000", 0, "05000003008083", condition{}},
			{"serial number", "120180006000", 0, "05800…", condition{}},
			{"identification", "120183006000", 0, "0583…", condition{}},
			{"identification, cut", "120183000400", 0, "05830052", condition{}},
			{"unknown page", "1201b0006000", 0, "", senseInvalidField},
			{"capabilities", "1a002a00ff00", 0, "…", condition{}},
			{"unknown mode page", "1a000a00ff00", 0, "", senseInvalidField},
			{"saved mode page", "1a00ea00ff00", 0, "", condition{mmc.KeyIllegalRequest, 0x39, 0}},
			{"MODE SELECT(6)", "151000000000", 0, "", condition{mmc.KeyIllegalRequest, 0x20, 0}},
			{"READ CAPACITY(16)", "9e100000000000000000000000200000", 0, "", condition{mmc.KeyIllegalRequest, 0x20, 0}},
			{"vendor's command", "c0000000000000000000000000000000", 0, "", condition{mmc.KeyIllegalRequest, 0x20, 0}},
			{"flat addressing of unit 0", "120000006000", 0x4000, "0580…", condition{}},
			{"nothing there", "120000006000", 1, "7f0005021f000000" + "2020…", condition{}},
			{"nothing there, page", "120100006000", 1, "", senseInvalidField},
			{"nothing there, sense", "030000001200", 1, "700005000000000a00000000" + "250000000000", condition{}},
			{"nothing there, ready", "000000000000", 1, "", senseNoLogicalUnit},
			{"REPORT LUNS unit", "000000000000", 0xc101, "", senseNoLogicalUnit},
		} {
			cdb, err := hex.DecodeString(row.cdb)
			if err != nil {
				t.Fatal(err)
			}
			r := c.do(cdb, reads(255), withLUN(row.lun))
			if row.sense != (condition{}) {
				t.Log(row.reason)
				r.wantSense(t, row.sense)
				continue
			}
			got := hex.EncodeToString(r.data)
			prefix, open := strings.CutSuffix(row.want, "…")
			if r.status != 0 || !open && got != row.want || !strings.HasPrefix(got, prefix) {
				t.Errorf("%s: status %d, sense % x, %s", row.reason, r.status, r.sense, got)
			}
			if row.reason == "identification" && !strings.Contains(got, name) {
				t.Errorf("%s: the name is not in %s", row.reason, got)
			}
		}
	})
}

// TestModeSense6 compares the short form with the long one.
func TestModeSense6(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, net := newTestTarget(t, newEmu(t))
		c := net.dial(t)
		c.login(who, "")
		c.do(testUnitReady) // unit attention
		long := c.do([]byte{0x5a, 0, 0x2a, 0, 0, 0, 0, 1, 0, 0}, reads(256))
		for _, room := range []byte{255, 40, 4, 3, 0} {
			r := c.do([]byte{0x1a, 0, 0x2a, 0, room, 0}, reads(255))
			want := append([]byte{byte(len(long.data) - 5), long.data[2], long.data[3], 0}, long.data[8:]...)
			want = want[:min(len(want), int(room))]
			if r.wantGood(t); !bytes.Equal(r.data, want) {
				t.Errorf("with room for %d bytes: % x, want % x", room, r.data, want)
			}
		}
	})
}

// TestDriveThatKnowsMore: own pages of a drive are not replaced.
func TestDriveThatKnowsMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		page := []byte{0x05, 0x83, 0, 4, 1, 2, 3, 4}
		d := &drive{execute: func(cmd *mmc.Command) error {
			b := page
			if cmd.CDB[2] == 0 {
				b = []byte{0x05, 0, 0, 3, 0, 0x83, 0xc0}
			}
			cmd.Resid = len(cmd.Data) - copy(cmd.Data, b)
			return nil
		}}
		_, net := newTestTarget(t, d)
		c := net.dial(t)
		c.login(who, "")
		if r := c.do([]byte{0x12, 1, 0x83, 0, 255, 0}, reads(255)); !bytes.Equal(r.data, page) {
			t.Errorf("identification % x", r.data)
		}
		if r := c.do([]byte{0x12, 1, 0, 0, 255, 0}, reads(255)); !bytes.Equal(r.data, []byte{0x05, 0, 0, 3, 0, 0x83, 0xc0}) {
			t.Errorf("pages % x", r.data)
		}
		d.execute = func(cmd *mmc.Command) error {
			cmd.Resid = len(cmd.Data)
			return mmc.NewSenseError(cmd.CDB, mmc.NewSense(mmc.KeyNotReady, 4, 1))
		}
		for _, p := range []byte{0, 0x83} {
			c.do([]byte{0x12, 1, p, 0, 255, 0}, reads(255)).wantSense(t, condition{mmc.KeyNotReady, 4, 1})
		}
	})
}
