package emu_test

import (
	"context"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"burnfs/mmc"
	"burnfs/mmc/emu"
)

// insert opens the medium at path and takes the unit attention away.
func insert(t *testing.T, path string, opt emu.Options) *emu.Drive {
	t.Helper()
	d, err := emu.Open(path, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := execute(d, "000000000000", mmc.NoData, nil); !errors.Is(err, mmc.ErrMediumChanged) {
		t.Fatalf("first command: %v", err)
	}
	return d
}

func newDisc(t *testing.T, media emu.Media, opt emu.CreateOptions) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disc")
	if err := emu.Create(path, media, opt); err != nil {
		t.Fatal(err)
	}
	return path
}

func execute(d *emu.Drive, cdb string, dir mmc.Direction, data []byte) error {
	c, err := hex.DecodeString(strings.ReplaceAll(cdb, " ", ""))
	if err != nil {
		panic(err)
	}
	return d.Execute(context.Background(), &mmc.Command{CDB: c, Direction: dir, Data: data})
}

func TestRefusedCommands(t *testing.T) {
	block := make([]byte, mmc.BlockSize)
	for _, tt := range []struct {
		reason string
		media  emu.Media
		cdb    string
		dir    mmc.Direction
		data   []byte
		want   string // sense key, ASC, ASCQ and the sense key specific bytes
	}{
		{"an empty block names no command", emu.BDR, "", mmc.NoData, nil, "5/20/00 000000"},
		{"READ(6) is not for optical drives", emu.BDR, "08 000000 01 00", mmc.FromDrive, block, "5/20/00 c00000"},
		{"SEND CUE SHEET belongs to session at once", emu.CDR, "5d 00 00000000 00 0008 00", mmc.ToDrive, make([]byte, 8), "5/2C/00 000000"},
		{"SEND CUE SHEET belongs to CD", emu.BDR, "5d 00 00000000 00 0008 00", mmc.ToDrive, make([]byte, 8), "5/30/00 000000"},
		{"a vendor's operation code", emu.BDR, "ff 00", mmc.NoData, nil, "5/20/00 c00000"},

		{"a CDB that ends early", emu.BDR, "2a 00 00000000 00 00", mmc.ToDrive, block, "5/24/00 c00008"},
		{"a CDB that is too long", emu.BDR, "2a 00 00000000 00 0001 00 0000", mmc.ToDrive, block, "5/24/00 c0000a"},
		{"reserved bits of TEST UNIT READY", emu.BDR, "00 00 01 00 00 00", mmc.NoData, nil, "5/24/00 c00002"},
		{"NACA in the control byte", emu.BDR, "00 00 00 00 00 04", mmc.NoData, nil, "5/24/00 c00005"},
		{"relative addressing is obsolete", emu.BDR, "28 01 00000000 00 0001 00", mmc.FromDrive, block, "5/24/00 c00001"},
		{"DESC: descriptor format sense is not offered", emu.BDR, "03 01 00 00 12 00", mmc.FromDrive, make([]byte, 18), "5/24/00 c00001"},
		{"READ DISC INFORMATION of POW resources", emu.BDR, "51 02 00000000 00 0020 00", mmc.FromDrive, make([]byte, 32), "5/24/00 c00001"},
		{"READ TRACK INFORMATION by a reserved address type", emu.BDR, "52 03 00000001 00 0024 00", mmc.FromDrive, make([]byte, 36), "5/24/00 c00002"},
		{"the lead-in is track 0 and has no blocks", emu.CDR, "52 01 00000000 00 0024 00", mmc.FromDrive, make([]byte, 36), "5/24/00 c00002"},
		{"a track that is not there", emu.CDR, "52 01 00000002 00 0024 00", mmc.FromDrive, make([]byte, 36), "5/24/00 c00002"},
		{"a session that is not there", emu.CDR, "52 02 00000002 00 0024 00", mmc.FromDrive, make([]byte, 36), "5/24/00 c00002"},
		{"a block that is in no track", emu.CDR, "52 00 ffffffff 00 0024 00", mmc.FromDrive, make([]byte, 36), "5/21/00 000000"},
		{"BD-R has no single incomplete track", emu.BDR, "52 01 000000ff 00 0024 00", mmc.FromDrive, make([]byte, 36), "5/24/00 c00002"},
		{"GET CONFIGURATION with a reserved request type", emu.BDR, "46 03 0000 000000 0008 00", mmc.FromDrive, make([]byte, 8), "5/24/00 c00001"},
		{"GET EVENT STATUS waits for nobody", emu.BDR, "4a 00 0000 10 0000 0008 00", mmc.FromDrive, make([]byte, 8), "5/24/00 c00001"},
		{"READ TOC of a format to come", emu.BDRE, "43 00 07 000000 00 0100 00", mmc.FromDrive, make([]byte, 256), "5/24/00 c00002"},
		{"the full TOC exists on CD only", emu.BDRE, "43 00 02 000000 00 0100 00", mmc.FromDrive, make([]byte, 256), "5/24/00 c00002"},
		{"the TOC of a track behind the last", emu.BDRE, "43 00 00 000000 05 0100 00", mmc.FromDrive, make([]byte, 256), "5/24/00 c00006"},
		{"saved mode pages", emu.BDRE, "5a 08 ea 00000000 0100 00", mmc.FromDrive, make([]byte, 256), "5/39/00 c00002"},
		{"a mode page the drive has not", emu.BDRE, "5a 08 0e 00000000 0100 00", mmc.FromDrive, make([]byte, 256), "5/24/00 c00002"},
		{"a sub-page", emu.BDRE, "5a 08 2a 01000000 0100 00", mmc.FromDrive, make([]byte, 256), "5/24/00 c00003"},
		{"MODE SELECT without page format", emu.CDR, "55 00 00000000 00 0008 00", mmc.ToDrive, make([]byte, 8), "5/24/00 c00001"},
		{"MODE SELECT to be saved", emu.CDR, "55 11 00000000 00 0008 00", mmc.ToDrive, make([]byte, 8), "5/24/00 c00001"},
		{"MODE SELECT shorter than its header", emu.CDR, "55 10 00000000 00 0004 00", mmc.ToDrive, make([]byte, 4), "5/1A/00 000000"},
		{"MODE SELECT with a mode data length, which is reserved there", emu.CDR, "55 10 00000000 00 0008 00", mmc.ToDrive, []byte{0, 6, 0, 0, 0, 0, 0, 0}, "5/26/00 800001"},
		{"MODE SELECT with a page that ends early", emu.CDR, "55 10 00000000 00 000a 00", mmc.ToDrive, []byte{0, 0, 0, 0, 0, 0, 0, 0, 5, 50}, "5/1A/00 000000"},
		{"MODE SELECT of a page that cannot change", emu.CDR, "55 10 00000000 00 000a 00", mmc.ToDrive, []byte{0, 0, 0, 0, 0, 0, 0, 0, 0x2a, 0}, "5/26/00 800008"},
		{"MODE SELECT of page 05h in a strange length", emu.CDR, "55 10 00000000 00 000a 00", mmc.ToDrive, []byte{0, 0, 0, 0, 0, 0, 0, 0, 5, 0}, "5/26/00 800009"},
		{"GET PERFORMANCE of a reserved tolerance", emu.BDR, "ac 08 00000000 0000 0001 00 00", mmc.FromDrive, make([]byte, 24), "5/24/00 c00001"},
		{"GET PERFORMANCE of defects", emu.BDR, "ac 00 00000000 0000 0001 02 00", mmc.FromDrive, make([]byte, 24), "5/24/00 c0000a"},
		{"SET CD SPEED with reserved rotation", emu.CDR, "bb 02 ffff ffff 000000000000", mmc.NoData, nil, "5/24/00 c00001"},
		{"SET CD SPEED 0", emu.CDR, "bb 00 ffff 0000 000000000000", mmc.NoData, nil, "5/24/00 c00004"},
		{"SET STREAMING of a short descriptor", emu.BDR, "b6 00 000000000000 00 0010 00", mmc.ToDrive, make([]byte, 16), "5/1A/00 000000"},
		{"SET STREAMING in no time", emu.BDR, "b6 00 000000000000 00 001c 00", mmc.ToDrive, make([]byte, 28), "5/26/00 800014"},
		{"READ DISC STRUCTURE of a DVD", emu.BDR, "ad 00 00000000 00 00 0800 00 00", mmc.FromDrive, make([]byte, 2048), "5/24/00 c00001"},
		{"INQUIRY of a page without EVPD", emu.BDR, "12 00 80 00ff 00", mmc.FromDrive, make([]byte, 255), "5/24/00 c00002"},
		{"INQUIRY of an unknown vital product data page", emu.BDR, "12 01 83 00ff 00", mmc.FromDrive, make([]byte, 255), "5/24/00 c00002"},
		{"CLOSE of a border of DVD-RW", emu.BDR, "5b 00 03 00 0000 00000000", mmc.NoData, nil, "5/24/00 c00002"},
		{"CLOSE with minimal radius is for DVD+R", emu.BDR, "5b 00 05 00 0000 00000000", mmc.NoData, nil, "5/24/00 c00002"},
		{"finalizing a CD is the business of its mode page", emu.CDR, "5b 00 06 00 0000 00000000", mmc.NoData, nil, "5/24/00 c00002"},
		{"CLOSE on BD-RE", emu.BDRE, "5b 00 02 00 0000 00000000", mmc.NoData, nil, "5/30/00 000000"},
		{"BLANK on DVD+RW", emu.DVDPlusRW, "a1 00 00000000 000000000000", mmc.NoData, nil, "5/30/00 000000"},
		{"FORMAT UNIT on CD-R", emu.CDR, "04 11 00000000", mmc.ToDrive, []byte{0, 2, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0}, "5/30/06 000000"},
		{"FORMAT UNIT without data", emu.BDRE, "04 01 00000000", mmc.NoData, nil, "5/24/00 c00001"},
		{"FORMAT UNIT with half a descriptor", emu.BDRE, "04 11 00000000", mmc.ToDrive, []byte{0, 2, 0, 8, 0, 0, 0, 0}, "5/1A/00 000000"},
		{"FORMAT UNIT with a wrong descriptor length", emu.BDRE, "04 11 00000000", mmc.ToDrive, []byte{0, 2, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0}, "5/26/00 800002"},
		{"RESERVE TRACK of more than there is", emu.BDR, "53 00 000000 ffffffff 00", mmc.NoData, nil, "5/24/00 c00005"},
		{"RESERVE TRACK by LBA", emu.BDR, "53 01 000000 00000020 00", mmc.NoData, nil, "5/24/00 c00001"},

		{"a WRITE with no data", emu.BDR, "2a 00 00000000 00 0001 00", mmc.NoData, nil, "B/4B/00 000000"},
		{"a WRITE with half a block", emu.BDR, "2a 00 00000000 00 0001 00", mmc.ToDrive, make([]byte, 1024), "B/4B/00 000000"},
		{"a WRITE with more than it says", emu.BDR, "2a 00 00000000 00 0001 00", mmc.ToDrive, make([]byte, 4096), "B/4B/00 000000"},
		{"a WRITE in the wrong direction", emu.BDR, "2a 00 00000000 00 0001 00", mmc.FromDrive, block, "B/4B/00 000000"},
		{"a READ with too little room", emu.BDRE, "28 00 00000000 00 0002 00", mmc.FromDrive, block, "B/4B/00 000000"},
		{"a reply against its direction", emu.BDRE, "25 00 00000000 00 0000 00", mmc.ToDrive, make([]byte, 8), "B/4B/00 000000"},
		{"a READ(12) of 8 TB", emu.BDRE, "a8 00 00000000 ffffffff 00 00", mmc.FromDrive, block, "B/4B/00 000000"},

		{"reading a blank CD", emu.CDR, "28 00 00000000 00 0001 00", mmc.FromDrive, block, "5/21/00 000000"},
		{"reading a blank BD-R", emu.BDR, "28 00 00000000 00 0001 00", mmc.FromDrive, block, "5/21/00 000000"},
		{"writing a CD without mode page 05h", emu.CDR, "2a 00 00000000 00 0001 00", mmc.ToDrive, block, "5/64/00 000000"},
		{"writing beyond the start of a blank BD-R", emu.BDR, "2a 00 00000020 00 0001 00", mmc.ToDrive, block, "5/21/02 000000"},
		{"writing behind a BD-R", emu.BDR, "2a 00 ffffffff 00 0001 00", mmc.ToDrive, block, "5/21/00 000000"},
		{"writing behind a BD-RE", emu.BDRE, "2a 00 ffffffff 00 0001 00", mmc.ToDrive, block, "5/21/00 000000"},
		{"writing a lone block of a DVD+R", emu.DVDPlusR, "2a 00 00000000 00 0001 00", mmc.ToDrive, block, "5/24/00 c00007"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			path := newDisc(t, tt.media, emu.CreateOptions{})
			before, err := os.ReadFile(path + ".medium")
			if err != nil {
				t.Fatal(err)
			}
			d := insert(t, path, emu.Options{})
			err = execute(d, tt.cdb, tt.dir, tt.data)
			var se *mmc.SenseError
			if !errors.As(err, &se) {
				t.Fatalf("got %v, want sense %s", err, tt.want)
			}
			got := strings.ToUpper(hex.EncodeToString([]byte{byte(se.Key)})[1:]) + "/" +
				strings.ToUpper(hex.EncodeToString([]byte{se.ASC})) + "/" + strings.ToUpper(hex.EncodeToString([]byte{se.ASCQ})) +
				" " + hex.EncodeToString(se.Raw[15:18])
			if got != tt.want {
				t.Errorf("got %s (%v), want %s", got, err, tt.want)
			}
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			after, err := os.ReadFile(path + ".medium")
			if err != nil || string(after) != string(before) {
				t.Errorf("a refused command changed the medium:\n%s%v", after, err)
			}
		})
	}
}

func TestAllocationLength(t *testing.T) {
	d := insert(t, newDisc(t, emu.CDR, emu.CreateOptions{AudioFirstSession: true}), emu.Options{})
	for _, tt := range []struct{ name, cdb string }{
		{"READ DISC INFORMATION", "51 00 00000000 00 %s 00"},
		{"READ TRACK INFORMATION", "52 01 00000001 00 %s 00"},
		{"READ TOC", "43 00 00 000000 00 %s 00"},
		{"READ TOC full", "43 00 02 000000 00 %s 00"},
		{"READ TOC ATIP", "43 00 04 000000 00 %s 00"},
		{"GET CONFIGURATION", "46 00 0000 000000 %s 00"},
		{"MODE SENSE", "5a 08 3f 00000000 %s 00"},
		{"READ FORMAT CAPACITIES", "23 00 00000000 00 %s 00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			get := func(allocation string, n int) []byte {
				c, err := hex.DecodeString(strings.ReplaceAll(strings.ReplaceAll(tt.cdb, "%s", allocation), " ", ""))
				if err != nil {
					t.Fatal(err)
				}
				cmd := &mmc.Command{CDB: c, Direction: mmc.FromDrive, Data: make([]byte, n)}
				if err := d.Execute(context.Background(), cmd); err != nil {
					t.Fatal(err)
				}
				return cmd.Transferred()
			}
			whole := get("0800", 2048)
			if len(whole) < 8 {
				t.Fatalf("%d bytes", len(whole))
			}
			if got := get("0004", 2048); string(got) != string(whole[:4]) {
				t.Errorf("an allocation length of 4 gave % x, the reply begins % x", got, whole[:8])
			}
			if got := get("0800", 4); string(got) != string(whole[:4]) {
				t.Errorf("a buffer of 4 bytes got % x, the reply begins % x", got, whole[:8])
			}
			if got := get("0000", 0); len(got) != 0 {
				t.Errorf("an allocation length of 0 gave % x", got)
			}
		})
	}
}
