package iscsi

import (
	"bytes"
	"encoding/binary"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"burnfs/mmc"
	"burnfs/mmc/emu"
)

func newEmu(t testing.TB) *emu.Drive {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disc")
	if err := emu.Create(path, emu.DVDRAM, emu.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	d, err := emu.Open(path, emu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// TestSession is what a kernel does, from login to logout.
func TestSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, net := newTestTarget(t, newEmu(t))
		c := net.dial(t)
		got := c.login(who, "InitialR2T=No ImmediateData=Yes MaxBurstLength=8192 MaxRecvDataSegmentLength=4096")
		if want := "InitialR2T=Yes ImmediateData=Yes MaxBurstLength=8192 MaxRecvDataSegmentLength=262144"; got != want {
			t.Fatalf("answers %q, want %q", got, want)
		}
		r := c.do(inquiry, reads(96))
		r.wantGood(t)
		if len(r.data) != 36 || r.data[0] != 0x05 || r.data[1] != 0x80 || r.flags != 0x02 || r.residual != 60 {
			t.Errorf("INQUIRY: % x, residual %X %d", r.data, r.flags, r.residual)
		}
		c.do(testUnitReady).wantSense(t, condition{mmc.KeyUnitAttention, 0x28, 0})
		c.do(testUnitReady).wantGood(t)

		// 16 blocks: 2048 bytes come with the command, the rest in four bursts.
		data := make([]byte, 16*2048)
		for i := range data {
			data[i] = byte(i >> 8)
		}
		c.send(c.command(write10(32, 16), writes(uint32(len(data))), withData(data[:2048])))
		for off := 2048; off < len(data); {
			r2t := c.want(opR2T)
			at, n := int(r2t.bufferOffset()), int(r2t.u32(44))
			if at != off || n != min(8192, len(data)-off) {
				t.Fatalf("R2T for %d bytes at %d, expected it at %d", n, at, off)
			}
			for sn := uint32(0); n > 0; sn++ {
				part := min(n, 3000)
				c.send(c.dataOut(r2t, sn, uint32(off), data[off:off+part], part == n))
				off, n = off+part, n-part
			}
		}
		c.finish().wantGood(t)
		r = c.do(read10(32, 16), reads(uint32(len(data))))
		r.wantGood(t)
		if !bytes.Equal(r.data, data) {
			t.Error("what is read is not what was written")
		}

		c.send(c.request(opNopOut, withData([]byte("ping!")), func(p *pdu) { p.setTTT(noTag) }))
		if p := c.want(opNopIn); string(p.data) != "ping!" {
			t.Errorf("NOP-In returns %q", p.data)
		}
		c.send(c.request(opLogout))
		if p := c.want(opLogoutResp); p.header[2] != loggedOut {
			t.Errorf("logout is answered with %d", p.header[2])
		}
		c.wantEnd()
	})
}

// dataOut makes the Data-Out that an R2T asks for.
func (c *client) dataOut(r2t *pdu, sn, offset uint32, data []byte, final bool) *pdu {
	p := new(pdu)
	p.setOpcode(opDataOut)
	if final {
		p.header[1] = flagFinal
	}
	p.setITT(r2t.itt())
	p.setTTT(r2t.ttt())
	p.setDataSN(sn)
	p.setBufferOffset(offset)
	p.data = data
	p.setDataLen(len(data))
	return p
}

func TestDataIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, net := newTestTarget(t, &drive{})
		c := net.dial(t)
		c.login(who, "MaxRecvDataSegmentLength=1024 MaxBurstLength=2560")
		c.send(c.command(read10(0, 3), reads(6144)))
		var got []string
		for last := false; !last; {
			p := c.want(opDataIn)
			got = append(got, string('0'+rune(p.dataSN()))+map[bool]string{true: "F"}[p.final()]+
				map[int]string{1024: "k", 512: "h"}[len(p.data)])
			last = p.flags()&1 != 0
		}
		if want := "0k 1k 2Fh 3k 4k 5Fh 6Fk"; strings.Join(got, " ") != want {
			t.Errorf("segments %v, want %v", got, want)
		}
	})
}

func TestResiduals(t *testing.T) {
	const over, under = 0x04, 0x02
	synctest.Test(t, func(t *testing.T) {
		d := &drive{}
		_, net := newTestTarget(t, d)
		c := net.dial(t)
		c.login(who, "")
		short := func(cmd *mmc.Command) error {
			cmd.Resid = len(cmd.Data) - 2048
			return nil
		}
		for _, row := range []struct {
			reason   string
			execute  func(*mmc.Command) error
			cdb      []byte
			change   []func(*pdu)
			status   uint8
			data     int
			flags    uint8
			residual uint32
		}{
			{"as expected", nil, read10(0, 1), []func(*pdu){reads(2048)}, 0, 2048, 0, 0},
			{"initiator expects more blocks", nil, read10(0, 1), []func(*pdu){reads(5000)}, 0, 2048, under, 2952},
			{"initiator expects less than a block", nil, read10(0, 2), []func(*pdu){reads(1000)}, 0, 1000, over, 3096},
			{"initiator expects nothing", nil, read10(0, 1), nil, 0, 0, over, 2048},
			{"drive moves less", short, read10(0, 2), []func(*pdu){reads(4096)}, 0, 2048, under, 2048},
			{"no blocks at all", nil, read10(0, 0), []func(*pdu){reads(4096)}, 0, 0, under, 4096},
			{"write of more than announced", nil, write10(0, 2), []func(*pdu){writes(2048), withData(make([]byte, 2048))}, 2, 0, over, 2048},
			{"write of less than announced", nil, write10(0, 1), []func(*pdu){writes(4096), withData(make([]byte, 4096))}, 0, 0, under, 2048},
			{"blocks with sub-header", nil, write10(0, 2), []func(*pdu){writes(4672), withData(make([]byte, 4672))}, 0, 0, 0, 0},
			{"drive writes less", short, write10(0, 2), []func(*pdu){writes(4096), withData(make([]byte, 4096))}, 0, 0, under, 2048},
			{"refused before any data", nil, read10(0, 1), []func(*pdu){reads(2048), withLUN(1)}, 2, 0, under, 2048},
		} {
			d.execute = row.execute
			r := c.do(row.cdb, row.change...)
			if r.status != row.status || len(r.data) != row.data || r.flags != row.flags || r.residual != row.residual {
				t.Errorf("%s: status %d, %d bytes, residual %X %d", row.reason, r.status, len(r.data), r.flags, r.residual)
			}
		}
	})
}

// TestRefusedTransfers: what a command says of its data contradicts itself or is
// too much.
func TestRefusedTransfers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &drive{}
		_, net := newTestTarget(t, d)
		c := net.dial(t)
		c.login(who, "")
		huge := append([]byte{0xa8, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0}, make([]byte, 4)...)
		for _, row := range []struct {
			reason string
			cdb    []byte
			change []func(*pdu)
			want   condition
		}{
			{"read and write", inquiry, []func(*pdu){reads(96), writes(96)}, senseInvalidUnit},
			{"a READ that writes", read10(0, 1), []func(*pdu){writes(2048)}, senseInvalidUnit},
			{"a WRITE that reads", write10(0, 1), []func(*pdu){reads(2048)}, senseInvalidUnit},
			{"4 GiB expected", inquiry, []func(*pdu){reads(0xffffffff)}, senseInvalidUnit},
			{"4 GiB announced", testUnitReady, []func(*pdu){writes(0xffffffff)}, senseInvalidUnit},
			{"8 TiB of blocks", huge, []func(*pdu){reads(2048)}, senseInvalidField},
			{"unsolicited data to follow", write10(0, 1), []func(*pdu){writes(2048), func(p *pdu) { p.header[1] &^= flagFinal }}, senseUnexpectedData},
		} {
			t.Log(row.reason)
			c.do(row.cdb, row.change...).wantSense(t, row.want)
		}
		if s := d.said(); s != "" {
			t.Errorf("the drive heard %s", s)
		}
	})
}

func TestBadDataOut(t *testing.T) {
	for _, row := range []struct {
		reason string
		send   func(c *client, r2t *pdu)
	}{
		{"DataSN", func(c *client, r *pdu) { c.send(c.dataOut(r, 1, 0, make([]byte, 4096), true)) }},
		{"offset", func(c *client, r *pdu) { c.send(c.dataOut(r, 0, 4, make([]byte, 4092), true)) }},
		{"too much", func(c *client, r *pdu) { c.send(c.dataOut(r, 0, 0, make([]byte, 4100), true)) }},
		{"too little", func(c *client, r *pdu) { c.send(c.dataOut(r, 0, 0, make([]byte, 4000), true)) }},
		{"an empty one in between", func(c *client, r *pdu) {
			c.send(c.dataOut(r, 0, 0, nil, false))
			c.send(c.dataOut(r, 1, 0, make([]byte, 4096), true))
		}},
		{"twice", func(c *client, r *pdu) {
			c.send(c.dataOut(r, 0, 0, make([]byte, 2048), false))
			c.send(c.dataOut(r, 0, 0, make([]byte, 2048), true))
		}},
	} {
		t.Run(row.reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &drive{}
				_, net := newTestTarget(t, d)
				c := net.dial(t)
				c.login(who, "")
				c.send(c.command(write10(0, 2), writes(4096)))
				r2t := c.want(opR2T)
				row.send(c, r2t)
				c.finish().wantSense(t, senseWrongAmount)
				// What still comes for that R2T is dropped.
				c.send(c.dataOut(r2t, 1, 0, make([]byte, 4096), true))
				c.do(testUnitReady).wantGood(t)
				if s := d.said(); s != "TEST UNIT READY" {
					t.Errorf("the drive heard %s", s)
				}
			})
		})
	}
}

// TestRejected: what is answered with Reject.
func TestRejected(t *testing.T) {
	const ends = true
	for _, row := range []struct {
		reason string
		pdu    func(c *client) *pdu
		want   rejectReason
		ends   bool
	}{
		{"unknown opcode", func(c *client) *pdu { return c.request(0x1c, immediately(c)) }, rejectNotSupported, false},
		{"SNACK", func(c *client) *pdu { return c.request(opSNACK, immediately(c)) }, rejectSNACK, false},
		{"login again", func(c *client) *pdu { return c.request(opLogin, immediately(c)) }, rejectProtocolError, ends},
		{"CmdSN leaves a gap", func(c *client) *pdu { return c.command(testUnitReady, func(p *pdu) { p.put32(24, c.cmdSN) }) }, rejectProtocolError, ends},
		{"additional header", func(c *client) *pdu {
			return c.command(testUnitReady, func(p *pdu) { p.header[4] = 2; p.ahs = make([]byte, 8) })
		}, rejectNotSupported, false},
		{"immediate data of a read", func(c *client) *pdu { return c.command(inquiry, reads(96), withData(make([]byte, 96))) }, rejectProtocolError, false},
		{"more immediate data than announced", func(c *client) *pdu {
			return c.command(write10(0, 1), writes(2048), withData(make([]byte, 2049)))
		}, rejectProtocolError, false},
		{"more immediate data than agreed", func(c *client) *pdu {
			return c.command(write10(0, 64), writes(131072), withData(make([]byte, 65537)))
		}, rejectProtocolError, false},
		{"command without a tag", func(c *client) *pdu { return c.command(testUnitReady, func(p *pdu) { p.setITT(noTag) }) }, rejectInvalidField, false},
		{"unsolicited Data-Out", func(c *client) *pdu {
			return c.request(opDataOut, immediately(c), func(p *pdu) { p.setTTT(noTag) })
		}, rejectProtocolError, false},
		{"Data-Out for an R2T that was not sent", func(c *client) *pdu {
			return c.request(opDataOut, immediately(c), func(p *pdu) { p.setTTT(99) })
		}, rejectInvalidField, false},
		{"answer to a NOP-In that was not sent", func(c *client) *pdu { return c.request(opNopOut, func(p *pdu) { p.setTTT(3) }) }, rejectInvalidField, false},
		{"NOP-Out without tags", func(c *client) *pdu {
			return c.request(opNopOut, func(p *pdu) { p.setITT(noTag); p.setTTT(noTag) })
		}, rejectProtocolError, false},
		{"task management function 9", func(c *client) *pdu { return c.request(opTaskMgmt, func(p *pdu) { p.header[1] |= 9 }) }, rejectInvalidField, false},
		{"logout for reason 3", func(c *client) *pdu { return c.request(opLogout, func(p *pdu) { p.header[1] |= 3 }) }, rejectInvalidField, false},
		{"text that is none", func(c *client) *pdu {
			return c.request(opText, withText("what"), func(p *pdu) { p.setTTT(noTag) })
		}, rejectProtocolError, false},
		{"text of a negotiation that there is not", func(c *client) *pdu { return c.request(opText, func(p *pdu) { p.setTTT(5) }) }, rejectInvalidField, false},
	} {
		t.Run(row.reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, net := newTestTarget(t, &drive{})
				c := net.dial(t)
				c.login(who, "")
				p := row.pdu(c)
				c.send(p)
				r := c.want(opReject)
				if got := rejectReason(r.header[2]); got != row.want {
					t.Errorf("reason %02X, want %02X", got, row.want)
				}
				if !bytes.Equal(r.data, p.header[:]) {
					t.Errorf("the header comes back as % x, was % x", r.data, p.header)
				}
				if row.ends {
					c.wantEnd()
					return
				}
				c.do(testUnitReady).wantGood(t)
			})
		})
	}
}

// TestEndsConnection: what is not even answered.
func TestEndsConnection(t *testing.T) {
	tooLong := make([]byte, headerLen)
	tooLong[0] = byte(opNopOut)
	binary.BigEndian.PutUint32(tooLong[4:], maxSegment+1)
	for _, row := range []struct {
		reason string
		login  bool
		send   []byte
	}{
		{"segment longer than agreed", true, tooLong},
		{"segment longer than logins have", false, append([]byte{0x43, 0x87, 0, 0, 0, 0, 0x20, 1}, make([]byte, 40)...)},
		{"no login", false, make([]byte, headerLen)},
		{"silence before the login", false, nil},
		{"half a login", false, make([]byte, 20)},
		{"half a PDU", true, make([]byte, 20)},
		{"a header without its data", true, append([]byte{0x40, 0x80, 0, 0, 0, 0, 4, 0}, make([]byte, 40)...)},
	} {
		t.Run(row.reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, net := newTestTarget(t, &drive{})
				c := net.dial(t)
				if row.login {
					c.login(who, "")
				}
				c.write(row.send)
				c.wantEnd()
			})
		})
	}
}

// TestCutAnywhere ends the connection after every byte of a session.
func TestCutAnywhere(t *testing.T) {
	record := &client{t: t}
	all := record.loginPDU(security|toOps, who+"AuthMethod=None").bytes()
	all = append(all, record.loginPDU(operational|toFull, "InitialR2T=Yes").bytes()...)
	all = append(all, record.command(inquiry, reads(96)).bytes()...)
	all = append(all, record.command(write10(0, 1), writes(2048), withData(make([]byte, 64))).bytes()...)
	all = append(all, record.request(opNopOut, func(p *pdu) { p.setTTT(noTag) }).bytes()...)
	synctest.Test(t, func(t *testing.T) {
		target, net := newTestTarget(t, &drive{})
		for n := range len(all) + 1 {
			c := net.dial(t)
			c.write(all[:n])
			_ = c.conn.Close()
			synctest.Wait()
			if len(target.links) != 0 {
				t.Fatalf("after %d bytes a connection is left", n)
			}
		}
	})
}
