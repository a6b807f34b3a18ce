package iscsi

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
)

func TestLoginRefused(t *testing.T) {
	type requests func(c *client) []*pdu
	one := func(flags byte, text string, change ...func(*pdu)) requests {
		return func(c *client) []*pdu {
			p := c.loginPDU(flags, text)
			for _, f := range change {
				f(p)
			}
			return []*pdu{p}
		}
	}
	two := func(change func(*pdu)) requests {
		return func(c *client) []*pdu {
			second := c.loginPDU(operational|toFull, "")
			change(second)
			return []*pdu{c.loginPDU(security|toOps, who), second}
		}
	}
	many := func(n int) string {
		var s strings.Builder
		for i := range n {
			fmt.Fprintf(&s, "X-%020d=1 ", i)
		}
		return s.String()
	}
	for _, row := range []struct {
		reason string
		send   requests
		want   loginStatus
	}{
		{"no name of the initiator", one(security|toOps, "TargetName="+testName), loginMissingParameter},
		{"no name of the target", one(security|toOps, "InitiatorName=iqn.2024-01.test:me"), loginMissingParameter},
		{"unknown target", one(security|toFull, "InitiatorName=iqn.2024-01.test:me TargetName=iqn.2024-01.burnfs.test:dvd"), loginTargetNotFound},
		{"CHAP demanded", one(security|toOps, who+"AuthMethod=CHAP,SRP"), loginAuthFailure},
		{"session type", one(security|toOps, who[:len(who)-len("Normal ")]+"Special"), loginBadSessionType},
		{"a session to join", one(security|toOps, who, func(p *pdu) { p.put16(14, 1) }), loginNoSession},
		{"newer version only", one(security|toOps, who, func(p *pdu) { p.header[3] = 1 }), loginBadVersion},
		{"begins in the full feature phase", one(byte(stageFullFeature)<<2|toFull, who), loginInvalidRequest},
		{"begins in stage 2", one(2<<2|toFull, who), loginInvalidRequest},
		{"back to the first stage", one(operational|flagTransit, who), loginInvalidRequest},
		{"transit to stage 2", one(operational|flagTransit|2, who), loginInvalidRequest},
		{"transit to where it is", one(operational|toOps, who), loginInvalidRequest},
		{"T and C", one(security|toOps|flagContinue, who), loginInvalidRequest},
		{"other tag in the second request", two(func(p *pdu) { p.setITT(8) }), loginInvalidRequest},
		{"other port in the second request", two(func(p *pdu) { p.header[9] = 0 }), loginInvalidRequest},
		{"other stage than agreed", two(func(p *pdu) { p.header[1] = security | toFull }), loginInvalidRequest},
		{"additional header", one(security|toOps, who, func(p *pdu) { p.header[4] = 1; p.ahs = make([]byte, 4) }), loginInvalidRequest},
		{"no key", one(security|toOps, "=x"), loginInitiatorError},
		{"no value", one(security|toOps, "InitiatorName"), loginInitiatorError},
		{"long key", one(security|toOps, strings.Repeat("k", 64)+"=1"), loginInitiatorError},
		{"long value", one(security|toOps, "InitiatorName="+strings.Repeat("v", 256)), loginInitiatorError},
		{"key twice", one(security|toOps, who+"AuthMethod=None AuthMethod=None"), loginInitiatorError},
		{"300 keys", one(security|toOps, many(300)), loginInitiatorError},
		{"answers that fill more than a segment", one(security|toOps, who+many(240)), loginInitiatorError},
		{"text without end", func(c *client) []*pdu {
			var all []*pdu
			for range 9 {
				all = append(all, c.loginPDU(security|flagContinue, "K="+strings.Repeat("v", 8000)))
			}
			return all
		}, loginInitiatorError},
	} {
		t.Run(row.reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, net := newTestTarget(t, &drive{})
				c := net.dial(t)
				all := row.send(c)
				for _, p := range all[:len(all)-1] {
					c.send(p)
					c.wantLogin(0)
				}
				c.send(all[len(all)-1])
				c.wantLogin(row.want)
				c.wantEnd()
			})
		})
	}
}

// TestLoginWithoutEnd: neither many requests nor long silence hold a connection.
func TestLoginWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, net := newTestTarget(t, &drive{})
		c := net.dial(t)
		for n := range maxLoginPDUs {
			p := c.loginPDU(security, "")
			if n == 0 {
				p = c.loginPDU(security, who)
			}
			c.send(p)
			c.wantLogin(0)
		}
		c.wantEnd()
	})
}

func TestNegotiation(t *testing.T) {
	for _, row := range []struct{ reason, offer, want string }{
		{"digests", "HeaderDigest=CRC32C,None DataDigest=None", "HeaderDigest=None DataDigest=None"},
		{"digests demanded", "HeaderDigest=CRC32C", "HeaderDigest=Reject"},
		{"one connection", "MaxConnections=8", "MaxConnections=1"},
		{"no unsolicited data", "InitialR2T=No", "InitialR2T=Yes"},
		{"immediate data as wanted", "ImmediateData=No", "ImmediateData=No"},
		{"lower burst", "MaxBurstLength=512", "MaxBurstLength=512"},
		{"higher burst", "MaxBurstLength=16776192", "MaxBurstLength=1048576"},
		{"first burst", "FirstBurstLength=262144", "FirstBurstLength=65536"},
		{"hexadecimal", "MaxBurstLength=0x2000", "MaxBurstLength=8192"},
		{"too low", "MaxBurstLength=511", "MaxBurstLength=Reject"},
		{"too high", "MaxBurstLength=16777216", "MaxBurstLength=Reject"},
		{"too high for any number", "MaxBurstLength=99999999999999999999", "MaxBurstLength=Reject"},
		{"no number", "MaxBurstLength=-1", "MaxBurstLength=Reject"},
		{"no boolean", "InitialR2T=Maybe", "InitialR2T=Reject"},
		{"recovery", "ErrorRecoveryLevel=2 DefaultTime2Wait=0 DefaultTime2Retain=20", "ErrorRecoveryLevel=0 DefaultTime2Wait=0 DefaultTime2Retain=0"},
		{"order", "DataPDUInOrder=No DataSequenceInOrder=No MaxOutstandingR2T=4", "DataPDUInOrder=Yes DataSequenceInOrder=Yes MaxOutstandingR2T=1"},
		{"markers", "OFMarker=Yes IFMarker=No OFMarkInt=2048~8192", "OFMarker=No IFMarker=No OFMarkInt=Irrelevant"},
		{"unknown", "X-com.example.key=1", "X-com.example.key=NotUnderstood"},
		{"a key of another stage", "AuthMethod=None", "AuthMethod=Reject"},
		{"a key of another phase", "SendTargets=All", "SendTargets=NotUnderstood"},
		{"a declaration", "InitiatorAlias=me", ""},
		{"reporting", "TaskReporting=FastAbort,RFC3720", "TaskReporting=RFC3720"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, net := newTestTarget(t, &drive{})
				c := net.dial(t)
				c.send(c.loginPDU(operational|toFull, who+row.offer))
				got := strings.ReplaceAll(string(c.wantLogin(0).data), "\x00", " ")
				want := strings.TrimSpace(row.want+" TargetPortalGroupTag=1 MaxRecvDataSegmentLength=262144") + " "
				if got != want {
					t.Errorf("%q, want %q", got, want)
				}
			})
		})
	}
}

// TestLoginInPieces: a text that goes over several requests, stages without
// transit.
func TestLoginInPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, net := newTestTarget(t, &drive{})
		c := net.dial(t)
		text := []byte(strings.ReplaceAll(who, " ", "\x00"))
		for len(text) > 10 {
			p := c.loginPDU(security|flagContinue, "")
			p.data, text = text[:10], text[10:]
			p.setDataLen(10)
			c.send(p)
			if got := c.wantLogin(0); len(got.data) > 0 || got.flags() != security {
				t.Fatalf("half a text is answered with %q, flags %02X", got.data, got.flags())
			}
		}
		p := c.loginPDU(security, "")
		p.data = text
		p.setDataLen(len(text))
		c.send(p)
		if got := string(c.wantLogin(0).data); got != "TargetPortalGroupTag=1\x00" {
			t.Fatalf("the whole text is answered with %q", got)
		}
		c.send(c.loginPDU(security|toFull, "AuthMethod=None"))
		if p := c.wantLogin(0); p.flags() != security|toFull || p.tsih() == 0 {
			t.Fatalf("flags %02X, TSIH %d", p.flags(), p.tsih())
		}
		c.do(testUnitReady).wantGood(t)
	})
}

func TestDiscovery(t *testing.T) {
	const me = "InitiatorName=iqn.2024-01.test:me SessionType=Discovery"
	synctest.Test(t, func(t *testing.T) {
		target, net := newTestTarget(t, &drive{})
		const other = "iqn.2024-01.burnfs.test:dvd"
		if err := target.Add(other, &drive{}); err != nil {
			t.Fatal(err)
		}
		c := net.dial(t)
		c.login(me+" ", "MaxRecvDataSegmentLength=512")
		ask := func(value string) string {
			c.send(c.request(opText, withText("SendTargets="+value), func(p *pdu) { p.setTTT(noTag) }))
			var all []byte
			for {
				p := c.want(opTextResp)
				if all = append(all, p.data...); p.final() {
					return strings.ReplaceAll(string(all), "\x00", " ")
				}
				if len(p.data) != 512 || p.flags() != flagContinue {
					t.Fatalf("%d bytes, flags %02X", len(p.data), p.flags())
				}
				c.send(c.request(opText, func(next *pdu) { next.setTTT(p.ttt()) }))
			}
		}
		list := func(names ...string) string {
			var s string
			for _, n := range names {
				s += "TargetName=" + n + " TargetAddress=pipe,1 "
			}
			return s
		}
		for _, row := range []struct{ value, want string }{
			{"All", list(testName, other)},
			{other, list(other)},
			{"iqn.2024-01.burnfs.test:none", ""},
			{"", ""},
		} {
			if got := ask(row.value); got != row.want {
				t.Errorf("SendTargets=%s: %q, want %q", row.value, got, row.want)
			}
		}
		names := []string{testName, other}
		for i := range 40 {
			names = append(names, testName+"."+strings.Repeat("x", i))
			if i == 0 {
				names[2] = testName + "0"
			}
			if err := target.Add(names[i+2], &drive{}); err != nil {
				t.Fatal(err)
			}
		}
		if got := ask("All"); got != list(names...) {
			t.Errorf("a long list comes as %q", got)
		}
		c.send(c.command(testUnitReady))
		if p := c.want(opReject); rejectReason(p.header[2]) != rejectNotSupported {
			t.Errorf("a command is rejected for reason %d", p.header[2])
		}
		c.send(c.request(opLogout))
		c.want(opLogoutResp)
		c.wantEnd()
	})
}

// TestText: text requests of a normal session.
func TestText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, net := newTestTarget(t, &drive{})
		c := net.dial(t)
		c.login(who, "")
		text := func(flags byte, ttt uint32, text string) *pdu {
			c.send(c.request(opText, withText(text), func(p *pdu) { p.header[1] = flags; p.setTTT(ttt) }))
			return c.want(opTextResp)
		}
		own := "TargetName=" + testName + "\x00TargetAddress=pipe,1\x00"
		if p := text(flagFinal, noTag, "SendTargets="); string(p.data) != own || !p.final() || p.ttt() != noTag {
			t.Errorf("own name: %q", p.data)
		}
		if p := text(flagFinal, noTag, "SendTargets=All MaxBurstLength=512 X-a=b MaxRecvDataSegmentLength=600"); string(p.data) !=
			"SendTargets=Reject\x00MaxBurstLength=Reject\x00X-a=NotUnderstood\x00" {
			t.Errorf("what cannot be asked: %q", p.data)
		}
		if r := c.do(read10(0, 1), reads(2048)); len(r.data) != 2048 {
			t.Errorf("%d bytes after a shorter segment was declared", len(r.data))
		}
		p := text(flagContinue, noTag, "SendTargets=")
		if len(p.data) > 0 || p.final() || p.ttt() == noTag {
			t.Fatalf("half a text: %q, %02X", p.data, p.flags())
		}
		p = text(0, p.ttt(), "X-b=c")
		if want := own + "X-b=NotUnderstood\x00"; string(p.data) != want || p.final() {
			t.Fatalf("the rest: %q, %02X", p.data, p.flags())
		}
		if p = text(flagFinal, p.ttt(), ""); len(p.data) > 0 || !p.final() || p.ttt() != noTag {
			t.Fatalf("the end: %q, %02X", p.data, p.flags())
		}
	})
}

func TestAddRefuses(t *testing.T) {
	target, err := Listen("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		reason, name string
		ok           bool
	}{
		{"a name", "iqn.2024-01.test:x", true},
		{"the name again", "iqn.2024-01.test:x", false},
		{"another type", "naa.52004567ba64678d", true},
		{"no type", "cd", false},
		{"unknown type", "abc.x", false},
		{"capitals", "iqn.2024-01.Test", false},
		{"nothing behind the type", "iqn.", false},
		{"too long", "iqn." + strings.Repeat("x", 220), false},
		{"zero byte", "iqn.2024\x00", false},
	} {
		if err := target.Add(row.name, &drive{}); (err == nil) != row.ok {
			t.Errorf("%s: %v", row.reason, err)
		}
	}
	if err := target.Close(); err != nil {
		t.Error(err)
	}
	if err := target.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	if err := target.Add("iqn.2024-01.test:y", &drive{}); err == nil {
		t.Error("a closed target takes a drive")
	}
}
