package mmc

import (
	"errors"
	"reflect"
	"testing"
)

// Replies composed field by field after the tables of MMC-5, with a value in
// every field that is different from its neighbours'.
var (
	discInformationSample = []byte{ // 6.22.3.1: appendable BD-R with 300 sessions
		0x00, 0x20, 0x05, 0x01, 0x2c, 0x2d, 0x2d, 0x80, 0xff, 0x01, 0x01, 0x01,
		0xde, 0xad, 0xbe, 0xef, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	}
	trackInformationSample = []byte{ // 6.27.3: open damaged track 258 of session 257
		0x00, 0x2e, 0x02, 0x01, 0x00, 0x24, 0x31, 0x03,
		0x00, 0x00, 0x2d, 0xb6, 0x00, 0x00, 0x31, 0x00, 0x00, 0x05, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x10, 0x00, 0x06, 0x00, 0x00, 0x00, 0x00, 0x30, 0xff,
		0x01, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	}
	fullTOCSample = []byte{ // 6.26.3.4: CD-R with a session of one data track, appendable
		0x00, 0x39, 0x01, 0x01,
		0x01, 0x14, 0x00, 0xa0, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00,
		0x01, 0x14, 0x00, 0xa1, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00,
		0x01, 0x14, 0x00, 0xa2, 0x00, 0x00, 0x00, 0x00, 0x00, 0x06, 0x02,
		0x01, 0x14, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00,
		0x01, 0x54, 0x00, 0xb0, 0x02, 0x26, 0x02, 0x02, 0x4f, 0x3b, 0x47,
	}
	tocSample = []byte{ // 6.26.3.2: an audio track, a data track, the lead-out
		0x00, 0x1a, 0x01, 0x02,
		0x00, 0x10, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x14, 0x02, 0x00, 0x00, 0x00, 0x40, 0x00,
		0x00, 0x14, 0xaa, 0x00, 0x00, 0x00, 0x80, 0x00,
	}
	atipSample = []byte{ // 6.26.3.6: high speed CD-RW of 80 minutes
		0x00, 0x1a, 0x00, 0x00, 0xd1, 0x40, 0xcd, 0x00, 0x61, 0x1a, 0x3c, 0x00, 0x4f, 0x3b, 0x47, 0x00,
		0x12, 0x34, 0x56, 0x00, 0x78, 0x9a, 0xbc, 0x00, 0xde, 0xf0, 0x11, 0x00,
	}
	configurationSample = []byte{ // 6.6.2, 5.3.1, 5.3.11: CD-R, of profiles CD-R and BD-RE
		0x00, 0x00, 0x00, 0x18, 0x00, 0x00, 0x00, 0x09,
		0x00, 0x00, 0x03, 0x08, 0x00, 0x43, 0x00, 0x00, 0x00, 0x09, 0x01, 0x00,
		0x00, 0x21, 0x0c, 0x04, 0x01, 0x02, 0x03, 0x04,
	}
	formatCapacitiesSample = []byte{ // 6.24.3: unformatted BD-RE
		0x00, 0x00, 0x00, 0x18,
		0x00, 0xba, 0x74, 0x00, 0x01, 0x00, 0x08, 0x00,
		0x00, 0xb4, 0x74, 0x00, 0x00, 0x00, 0x30, 0x00,
		0x00, 0xba, 0x74, 0x00, 0xc4, 0x00, 0x08, 0x00,
	}
	capabilitiesSample = []byte{ // MMC-3 6.3.11, behind a mode parameter header
		0x00, 0x2e, 0, 0, 0, 0, 0, 0,
		0x2a, 0x26, 0x3f, 0x37, 0xf1, 0x77, 0x29, 0x23, 0x1b, 0x90, 0x01, 0x00, 0x08, 0x00, 0x1b, 0x90,
		0, 0, 0x10, 0x8a, 0x10, 0x8a, 0, 1, 0, 0, 0, 0, 0x0b, 0x06, 0x00, 0x02,
		0, 0, 0x10, 0x8a, 0, 0, 0x0b, 0x06,
	}
	writeSpeedsSample = []byte{ // 6.8.5.3: two speeds of a DVD
		0x00, 0x00, 0x00, 0x24, 0x00, 0x00, 0x00, 0x00,
		0x02, 0, 0, 0, 0x00, 0x23, 0x05, 0x3f, 0x00, 0x00, 0x56, 0x90, 0x00, 0x00, 0x2b, 0x48,
		0x00, 0, 0, 0, 0x00, 0x23, 0x05, 0x3f, 0x00, 0x00, 0x56, 0x90, 0x00, 0x00, 0x15, 0xa4,
	}
)

func TestDiscInformation(t *testing.T) {
	d, err := parseDiscInformation(discInformationSample)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "status", d.Status(), DiscIncomplete)
	want(t, "last session", d.StateOfLastSession(), SessionIncomplete)
	want(t, "erasable", d.Erasable(), false)
	want(t, "sessions", d.Sessions(), 300)
	want(t, "first track", d.FirstTrack(), 1)
	want(t, "first track of last session", d.FirstTrackInLastSession(), 301)
	want(t, "last track of last session", d.LastTrackInLastSession(), 301)
	want(t, "disc id", d.DiscID(), 0xdeadbeef)
	want(t, "disc id valid", d.DiscIDValid(), true)
	want(t, "lead-in", d.LeadInStart(), 0x00010203)
	want(t, "lead-out", d.LastLeadOutStart(), 0x04050607)
	want(t, "disc type", d.DiscType(), 0xff)

	e := NewDiscInformation()
	e.SetStatus(DiscIncomplete)
	e.SetStateOfLastSession(SessionIncomplete)
	e.SetFirstTrack(1)
	e.SetSessions(300)
	e.SetFirstTrackInLastSession(301)
	e.SetLastTrackInLastSession(301)
	e.SetDiscID(0xdeadbeef)
	e.SetLeadInStart(0x00010203)
	e.SetLastLeadOutStart(0x04050607)
	e.SetDiscType(0xff)
	want(t, "composed", spaced(e), spaced(discInformationSample))

	for _, c := range []struct {
		change func(b []byte) []byte
		reason string
	}{
		{func(b []byte) []byte { return b[:21] }, "shorter than MMC-1's"},
		{func(b []byte) []byte { b[1] = 3; return b }, "says itself that it is too short"},
		{func(b []byte) []byte { b[2] |= 0x20; return b }, "is of another data type"},
		{func(b []byte) []byte { b[6] = 0; return b }, "last track before first track"},
	} {
		_, err := parseDiscInformation(c.change(append([]byte(nil), discInformationSample...)))
		var re *ResponseError
		if !errors.As(err, &re) || re.Op != OpReadDiscInformation {
			t.Errorf("a reply that %s: %v", c.reason, err)
		}
	}
	short, err := parseDiscInformation([]byte{0, 20, 2 | 3<<2, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	if err != nil || short.Sessions() != 1 || short.OPCTables() != 0 || short.LastLeadOutStart() != 0 {
		t.Errorf("MMC-1 reply: %v, %v", short, err)
	}
}

func TestTrackInformation(t *testing.T) {
	ti, err := parseTrackInformation(trackInformationSample)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "track", ti.Track(), 258)
	want(t, "session", ti.Session(), 257)
	want(t, "damage", ti.Damage(), true)
	want(t, "copy", ti.Copy(), false)
	want(t, "track mode", ti.TrackMode(), ControlData)
	want(t, "reserved", ti.Reserved(), false)
	want(t, "blank", ti.Blank(), false)
	want(t, "packet", ti.Packet(), true)
	want(t, "fixed packet", ti.FixedPacket(), true)
	want(t, "data mode", ti.DataMode(), 1)
	want(t, "start", ti.Start(), 11702)
	want(t, "NWA", ti.NWA(), 0x3100)
	want(t, "NWA valid", ti.NWAValid(), true)
	want(t, "free", ti.FreeBlocks(), 0x50000)
	want(t, "packet size", ti.PacketSize(), 16)
	want(t, "size", ti.Size(), 0x60000)
	want(t, "last recorded", ti.LastRecorded(), 0x30ff)
	want(t, "LRA valid", ti.LRAValid(), true)

	e := NewTrackInformation()
	e.SetTrack(258)
	e.SetSession(257)
	e.SetDamage(true)
	e.SetTrackMode(ControlData)
	e.SetPacket(true)
	e.SetFixedPacket(true)
	e.SetDataMode(1)
	e.SetStart(11702)
	e.SetNWA(0x3100)
	e.SetFreeBlocks(0x50000)
	e.SetPacketSize(16)
	e.SetSize(0x60000)
	e.SetLastRecorded(0x30ff)
	want(t, "composed", spaced(e), spaced(trackInformationSample))

	short := append([]byte(nil), trackInformationSample[:28]...)
	short[1] = 26
	if ti, err := parseTrackInformation(short); err != nil || ti.Track() != 2 || ti.LastRecorded() != 0 {
		t.Errorf("MMC-1 reply: % x, %v", ti, err)
	}
	if _, err := parseTrackInformation(short[:27]); err == nil {
		t.Error("a reply of 27 bytes is accepted")
	}
}

func TestTOC(t *testing.T) {
	toc, err := parseTOC(tocSample)
	if err != nil {
		t.Fatal(err)
	}
	ts := toc.Tracks()
	if len(ts) != 3 || ts[0].Control() != 0 || ts[1].Control() != ControlData || ts[1].Start() != 0x4000 || ts[2].Number() != TOCLeadOut {
		t.Errorf("tracks % x", ts)
	}
	want(t, "composed", spaced(NewTOC(1, 2).Append(1, 0, 0).Append(2, ControlData, 0x4000).Append(TOCLeadOut, ControlData, 0x8000)), spaced(tocSample))

	full, err := parseFullTOC(fullTOCSample)
	if err != nil {
		t.Fatal(err)
	}
	es := full.Entries()
	if len(es) != 5 || es[3].Point() != 1 || es[3].PMSF().LBA() != 0 || es[2].PMSF().LBA() != 302 || es[4].MSF().LBA() != 302+11400 {
		t.Errorf("entries % x", es)
	}
	c := NewFullTOC(1, 1).
		Append(1, 1, ControlData, PointFirstTrack, MSF{}, MSF{1, 0, 0}).
		Append(1, 1, ControlData, PointLastTrack, MSF{}, MSF{1, 0, 0}).
		Append(1, 1, ControlData, PointLeadOut, MSF{}, MSFOf(302)).
		Append(1, 1, ControlData, 1, MSF{}, MSFOf(0)).
		Append(1, 5, ControlData, PointNextArea, MSFOf(11702), MSF{0x4f, 0x3b, 0x47})
	c[11+11+11+11+4+7] = 2 // ZERO of the B0 entry counts pointers in mode 5
	want(t, "composed", spaced(c), spaced(fullTOCSample))
}

func TestMSF(t *testing.T) {
	for _, c := range []struct {
		lba    int32
		msf    string
		reason string
	}{
		{0, "00:02:00", "the first block lies behind two seconds of pregap"},
		{-150, "00:00:00", "the pregap begins at time zero"},
		{-151, "99:59:74", "the lead-in counts up to 100 minutes"},
		{-45150, "90:00:00", "the first frame of a lead-in"},
		{359844, "79:59:69", "an 80 minute disc"},
	} {
		m := MSFOf(c.lba)
		if m.String() != c.msf || m.LBA() != c.lba {
			t.Errorf("%d: %v and back %d, want %s: %s", c.lba, m, m.LBA(), c.msf, c.reason)
		}
	}
}

func TestConfiguration(t *testing.T) {
	c, err := parseConfiguration(configurationSample)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "profile", c.CurrentProfile(), ProfileCDR)
	want(t, "features", len(c.Features()), 2)
	want(t, "incremental is current", c.Current(FeatureIncremental), false)
	want(t, "incremental data", spaced(c.Feature(FeatureIncremental).Data()), "01 02 03 04")
	want(t, "incremental version", c.Feature(FeatureIncremental).Version(), 3)
	want(t, "unknown feature is current", c.Current(FeatureBDWrite), false)
	if ps := c.Profiles(); !reflect.DeepEqual(ps, []Profile{ProfileBDRE, ProfileCDR}) {
		t.Errorf("profiles %v", ps)
	}
	want(t, "composed", spaced(NewConfiguration(ProfileCDR,
		NewProfileList(ProfileCDR, ProfileBDRE, ProfileCDR),
		NewFeature(FeatureIncremental, 3, false, false, 1, 2, 3, 4))), spaced(configurationSample))

	cut, err := parseConfiguration(configurationSample[:22])
	if err != nil || len(cut.Features()) != 1 {
		t.Errorf("a reply cut off by the allocation length: %v, %v", cut.Features(), err)
	}
	garbled := append([]byte(nil), configurationSample...)
	garbled[23] = 200
	if _, err := parseConfiguration(garbled); err == nil {
		t.Error("a feature longer than the reply is accepted")
	}
}

func TestCapacities(t *testing.T) {
	f, err := parseFormatCapacities(formatCapacitiesSample)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "type", f.Type(), CapacityUnformatted)
	want(t, "blocks", f.Blocks(), 12219392)
	d, ok := f.Find(FormatFull)
	if !ok || d != (FormatDescriptor{11826176, FormatFull, 0x3000}) {
		t.Errorf("format type 00h: %+v, %v", d, ok)
	}
	if _, ok := f.Find(FormatDVDPlusRW); ok {
		t.Error("finds format type 26h")
	}
	want(t, "composed", spaced(NewFormatCapacities(CapacityUnformatted, 12219392).
		Append(FormatDescriptor{11826176, FormatFull, 0x3000}).
		Append(FormatDescriptor{12219392, FormatBDRENoSp, 0x0800})), spaced(formatCapacitiesSample))

	c := NewCapacity(359843)
	want(t, "capacity", c.Blocks(), 359844)
	want(t, "block length", c.BlockLength(), BlockSize)

	b, err := parseBufferCapacity(NewBufferCapacity(1000, 2000))
	if err != nil {
		t.Fatal(err)
	}
	want(t, "free buffer of a drive that tells nonsense", b.Free(), 500)
}

func TestModePages(t *testing.T) {
	p, err := parseCapabilities(capabilitiesSample)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "writes CD-R", p.WritesCDR(), true)
	want(t, "writes DVD-RAM", p.WritesDVDRAM(), true)
	want(t, "BUF", p.BUF(), true)
	want(t, "locks", p.Locks(), true)
	want(t, "locked", p.Locked(), false)
	want(t, "read speed", p.MaxReadSpeed(), 7056)
	want(t, "buffer", p.BufferSize(), 2048)
	want(t, "write speed", p.WriteSpeed(), 2822)
	if vs := p.WriteSpeeds(); !reflect.DeepEqual(vs, []uint16{4234, 2822}) {
		t.Errorf("write speeds %v", vs)
	}
	withBlockDescriptor := append([]byte{0, 0x36, 0, 0, 0, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8}, capabilitiesSample[8:]...)
	if q, err := parseCapabilities(withBlockDescriptor); err != nil || q.BufferSize() != 2048 {
		t.Errorf("a page behind a block descriptor: % x, %v", q, err)
	}
	if _, err := parseWriteParameters(capabilitiesSample); err == nil {
		t.Error("page 2Ah is taken for page 05h")
	}
	w := NewWriteParameters()
	w.SetLinkSize(16)
	w.SetFixedPacket(true)
	w.SetPacketSize(16)
	w.SetTestWrite(true)
	w.SetWriteType(WritePacket)
	w.SetTrackMode(5)
	v, err := parseWriteParameters(NewModeData(w))
	if err != nil || !v.LinkSizeValid() || v.LinkSize() != 16 || !v.FixedPacket() || v.PacketSize() != 16 || !v.TestWrite() || v.TrackMode() != 5 {
		t.Errorf("page 05h and back: % x, %v", v, err)
	}
}

func TestPerformance(t *testing.T) {
	w, err := parseWriteSpeeds(writeSpeedsSample)
	if err != nil {
		t.Fatal(err)
	}
	speeds := []WriteSpeed{{2295103, 22160, 11080, true}, {2295103, 22160, 5540, false}}
	if !reflect.DeepEqual(w.Speeds(), speeds) {
		t.Errorf("speeds %+v", w.Speeds())
	}
	want(t, "composed", spaced(NewWriteSpeeds(speeds...)), spaced(writeSpeedsSample))
	s := NewStreaming(1, 2, 3, 4)
	want(t, "streaming", [4]uint32{s.First(), s.Last(), s.ReadSpeed(), s.WriteSpeed()}, [4]uint32{1, 2, 3, 4})
	put32(s, 24, 0)
	want(t, "speed in no time", s.WriteSpeed(), 0)
}

func TestEvents(t *testing.T) {
	e, err := parseEventStatus(NewMediaEvent(MediaNew, true, false))
	if err != nil || !e.Available() || e.Class() != EventMedia || e.MediaEvent() != MediaNew || !e.MediaPresent() || e.TrayOpen() {
		t.Errorf("new medium: % x, %v", e, err)
	}
	if e, err := parseEventStatus(NewNoEvent()); err != nil || e.Available() {
		t.Errorf("no event: % x, %v", e, err)
	}
}

func TestInquiry(t *testing.T) {
	q, err := parseInquiry(NewInquiry("HL-DT-ST", "BD-RE  BH16NS55 and more", "1.02"))
	if err != nil || q.Vendor() != "HL-DT-ST" || q.Product() != "BD-RE  BH16NS55" || q.Revision() != "1.02" || q.DeviceType() != DeviceTypeMM || !q.Removable() {
		t.Errorf("%q %q %q, %v", q.Vendor(), q.Product(), q.Revision(), err)
	}
	q[9] = 0x1b
	want(t, "an escape character in a name", q.Vendor(), "H -DT-ST")
}

func want[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestATIP(t *testing.T) {
	a, err := parseATIP(atipSample)
	if err != nil {
		t.Fatal(err)
	}
	if a.WritingPower() != 5 || a.ReferenceSpeed() != 1 || !a.UnrestrictedUse() || !a.Erasable() || a.SubType() != 1 ||
		a.LeadInStart() != (MSF{97, 26, 60}) || a.LastLeadOut() != (MSF{79, 59, 71}) {
		t.Errorf("% x is read as %d %d %v %v %d %v %v", atipSample, a.WritingPower(), a.ReferenceSpeed(),
			a.UnrestrictedUse(), a.Erasable(), a.SubType(), a.LeadInStart(), a.LastLeadOut())
	}
	made := NewATIP()
	made.SetErasable(true)
	made.SetLeadInStart(MSF{97, 26, 60})
	made.SetLastLeadOut(MSF{79, 59, 71})
	if a, err := parseATIP(made); err != nil || !a.Erasable() || a.LeadInStart() != (MSF{97, 26, 60}) || a.LastLeadOut() != (MSF{79, 59, 71}) {
		t.Errorf("% x: %v", made, err)
	}
	for _, b := range [][]byte{nil, atipSample[:14], append([]byte{0, 3}, atipSample[2:]...)} {
		if _, err := parseATIP(b); err == nil {
			t.Errorf("% x is accepted", b)
		}
	}
}

func TestCueSheet(t *testing.T) {
	c := CueSheet(nil).Append(ControlData, 0, 0, FormMode1Pause, MSF{}).Append(ControlData|2, 7, 1, FormMode1, MSFOf(11700))
	es := append(c, 1, 2, 3).Entries()
	if len(es) != 2 {
		t.Fatalf("%d entries", len(es))
	}
	e := es[1]
	if e.Control() != 6 || e.ADR() != 1 || e.Track() != 7 || e.Index() != 1 || e.DataForm() != FormMode1 || e.SCMS() != 0 || e.MSF().LBA() != 11700 {
		t.Errorf("% x", e)
	}
	for form, size := range map[DataForm]int{FormAudio: 2352, FormMode1: 2048, FormXA: 2336, FormMode1Pause: 0, 0xff: 0} {
		if form.BlockSize() != size {
			t.Errorf("form %02Xh: %d bytes", uint8(form), form.BlockSize())
		}
	}
}

func TestBufferCapacityBlocks(t *testing.T) {
	b, err := parseBufferCapacity(NewBufferCapacityBlocks(17))
	if err != nil || !b.InBlocks() || b.Free() != 17 {
		t.Errorf("% x: %d, %v", b, b.Free(), err)
	}
}
