package mmc

import (
	"errors"
	"reflect"
	"testing"
)

// structures answers READ DISC STRUCTURE from a table by media type and format.
func structures(t *testing.T, table map[[2]byte][]byte) *Drive {
	d, _ := newFake(t, func(_ int, cmd *Command) error {
		b, ok := table[[2]byte{cmd.CDB[1] & 0xf, cmd.CDB[7]}]
		if !ok {
			return fail(cmd, KeyIllegalRequest, 0x24, 0)
		}
		h := []byte{byte((len(b) + 2) >> 8), byte(len(b) + 2), 0, 0}
		return reply(cmd, append(h, b...))
	})
	return d
}

// field makes n zeros with texts at offsets.
func field(n int, at map[int]string) []byte {
	b := make([]byte, n)
	for off, s := range at {
		copy(b[off:], s)
	}
	return b
}

func TestDiscStructures(t *testing.T) {
	ctx := t.Context()
	d := structures(t, map[[2]byte][]byte{
		{0, 0x11}: field(256, map[int]string{19: "RICOHJPN", 27: "R03"}),
		{0, 0x0e}: field(40, map[int]string{16: "\x03MCC 03", 24: "\x04RG20  "}),
		{1, 0x00}: field(112, map[int]string{0: "DI", 8: "BDR", 100: "VERBAT", 106: "IMf", 111: "\x07"}),
		{1, 0x0a}: {0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0x30, 0},
		{0, 0x0a}: {0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3},
		{0, 0xc0}: {0x0f, 0, 0, 0},
		{0, 0x20}: {0x80, 0, 0, 0, 0, 0x1f, 0xd3, 0xe0},
		{1, 0x30}: field(2*384, map[int]string{0: "PRM\x01", 384: "DCV\x02"}),
		{1, 0xff}: {0x00, 0x40, 0x00, 0x72, 0xc0, 0xc0, 0x00, 0x06},
	})
	check := func(name string, err error, got, expected any) {
		t.Helper()
		if err != nil || !reflect.DeepEqual(got, expected) {
			t.Errorf("%s: %v, want %v; %v", name, got, expected, err)
		}
	}
	for _, c := range []struct {
		profile    Profile
		maker, typ string
		reason     string
	}{
		{ProfileDVDPlusR, "RICOHJPN", "R03", "ADIP bytes 19 and 27"},
		{ProfileDVDPlusRW, "RICOHJPN", "R03", "the same"},
		{ProfileDVDRWSeq, "MCC 03RG20", "", "fields 3 and 4 of the lead-in"},
		{ProfileBDRSRM, "VERBAT", "IMf", "DI bytes 100 and 106"},
		{ProfileDVDRAM, "", "", "has none"},
	} {
		maker, typ, err := d.MediaID(ctx, c.profile)
		check(c.profile.String()+", "+c.reason, err, [2]string{maker, typ}, [2]string{c.maker, c.typ})
	}
	di, err := d.ReadBDDiscInformation(ctx)
	check("DI", err, []any{di.Kind(), di.Revision()}, []any{"BDR", uint8(7)})
	sp, err := d.ReadBDSpareArea(ctx)
	check("spare", err, [2]uint32{sp.Free(), sp.Allocated()}, [2]uint32{0x1000, 0x3000})
	rs, err := d.ReadDVDRAMSpareArea(ctx)
	check("DVD-RAM spare", err, [3]uint32{rs.PrimaryFree(), rs.SupplementaryFree(), rs.SupplementaryAllocated()}, [3]uint32{1, 2, 3})
	wp, err := d.ReadWriteProtection(ctx, StructureDVD)
	check("protection", err, [4]bool{wp.Software(), wp.Persistent(), wp.Cartridge(), wp.ByPAC()}, [4]bool{true, true, true, true})
	lb, err := d.ReadLayerBoundary(ctx)
	check("layers", err, []any{lb.Fixed(), lb.Blocks()}, []any{true, uint32(0x1fd3e0)})
	pacs, err := d.ReadPACs(ctx)
	check("PACs", err, []any{len(pacs), pacs[0].ID(), pacs[1].ID(), pacs[1].Format()}, []any{2, "PRM", "DCV", uint8(2)})
	caps, err := d.ReadStructureCapabilities(ctx, StructureBD)
	check("list", err, caps, []StructureCapability{{0x00, true, false, 0x74}, {0xc0, true, true, 8}})

	if _, err := structures(t, map[[2]byte][]byte{{1, 0x0a}: {1}}).ReadBDSpareArea(ctx); !isResponse(err) {
		t.Errorf("short reply: %v", err)
	}
	if _, err := structures(t, map[[2]byte][]byte{{1, 0x00}: make([]byte, 112)}).ReadBDDiscInformation(ctx); !isResponse(err) {
		t.Errorf("no DI: %v", err)
	}
	long, err := structures(t, map[[2]byte][]byte{{1, 0x30}: make([]byte, 40*384)}).ReadPACs(ctx)
	check("a list longer than is asked for first", err, len(long), 40)
	if b := NewBDDiscInformation("BDW", "A", "B", 1); b.Kind() != "BDW" || b.Manufacturer() != "A" || b.MediaType() != "B" || b.Revision() != 1 {
		t.Errorf("composed % x", b)
	}
	if a := NewADIP("A", "B"); a.Manufacturer() != "A" || a.MediaType() != "B" {
		t.Errorf("composed % x", a)
	}
	if s := NewDiscStructure(NewBDSpareArea(1, 2)); s.DataLength() != 16 || BDSpareArea(s.Data()).Allocated() != 2 {
		t.Errorf("composed % x", s)
	}
}

func isResponse(err error) bool {
	_, ok := errors.AsType[*ResponseError](err)
	return ok
}

// TestMorePerformance has the replies of GET PERFORMANCE types 00h and 01h, and the
// POW resources.
func TestMorePerformance(t *testing.T) {
	n, err := parseNominalPerformance([]byte{
		0, 0, 0, 0x14, 2, 0, 0, 0,
		0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4,
	})
	if err != nil || !n.Write() || !reflect.DeepEqual(n.Performances(), []Performance{{1, 2, 3, 4}}) {
		t.Errorf("nominal: %v %v", n.Performances(), err)
	}
	u, err := parseUnusableArea([]byte{0, 0, 0, 0x0c, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 6})
	if err != nil || !reflect.DeepEqual(u.Areas(), []Unusable{{5, 6}}) {
		t.Errorf("unusable: %v %v", u.Areas(), err)
	}
	p, err := parsePOWResources(NewPOWResources(1, 2, 3))
	if err != nil || p.Replacements() != 1 || p.MapEntries() != 2 || p.Updates() != 3 {
		t.Errorf("POW: % x %v", p, err)
	}
	if _, err := parsePOWResources(make([]byte, 16)); err == nil {
		t.Error("standard disc information passed for POW resources")
	}
}
