package notiso_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/notiso"
)

// medium is a disc in memory.
type medium []byte

var errEnd = errors.New("end of the medium")

func (m medium) ReadBlocks(ctx context.Context, lba uint32, p []byte) error {
	from := int64(lba) * iso9660.BlockSize
	if from+int64(len(p)) > int64(len(m)) {
		return errEnd
	}
	copy(p, m[from:])
	return ctx.Err()
}

// with is a medium of 80 blocks with texts at places.
func with(texts map[int]string) medium {
	m := make(medium, 80*iso9660.BlockSize)
	for at, text := range texts {
		copy(m[at:], text)
	}
	return m
}

func TestRecognize(t *testing.T) {
	const vrs = 32768
	entry := "\x80\x00\x00\x00\x83\x00\x00\x00\x01\x00\x00\x00\x10\x00\x00\x00"
	for _, row := range []struct {
		reason string
		disc   medium
		want   string // a part of the name; "" for nothing
	}{
		{"nothing", with(nil), ""},
		{"an empty medium", nil, ""},
		{"High Sierra", with(map[int]string{vrs + 8: "\x01CDROM\x01"}), "High Sierra"},
		{"CD-i", with(map[int]string{vrs: "\x01CD-I \x01"}), "CD-i"},
		{"UDF alone", with(map[int]string{vrs: "\x00BEA01\x01", vrs + 2048: "\x00NSR02\x01", vrs + 4096: "\x00TEA01\x01"}), "UDF"},
		{"UDF 2 with a boot descriptor", with(map[int]string{vrs: "\x00BEA01\x01", vrs + 2048: "\x00BOOT2\x01", vrs + 4096: "\x00NSR03\x01"}), "UDF"},
		{"an extended area without UDF", with(map[int]string{vrs: "\x00BEA01\x01", vrs + 2048: "\x00TEA01\x01", vrs + 4096: "\x00NSR03\x01"}), ""},
		{"HFS", with(map[int]string{1024: "BD"}), "HFS"},
		{"HFS+", with(map[int]string{1024: "H+\x00\x04"}), "HFS+"},
		{"partitions of a Macintosh", with(map[int]string{0: "ER\x08\x00", 2048: "PM"}), "partitions"},
		{"NTFS, which has a boot sector", with(map[int]string{3: "NTFS    ", 446: entry, 510: "\x55\xAA"}), "NTFS"},
		{"FAT", with(map[int]string{54: "FAT16   ", 510: "\x55\xAA"}), "FAT"},
		{"ext4", with(map[int]string{1080: "\x53\xEF"}), "ext4"},
		{"btrfs", with(map[int]string{65536 + 64: "_BHRfS_M"}), "btrfs"},
		{"partitions", with(map[int]string{446: entry, 510: "\x55\xAA"}), "table of partitions"},
		{"a boot sector without partitions", with(map[int]string{510: "\x55\xAA"}), ""},
		{"a boot sector with code there", with(map[int]string{446: "\x12" + entry[1:], 510: "\x55\xAA"}), ""},
	} {
		got, err := notiso.Recognize(t.Context(), row.disc, 0)
		switch {
		case err != nil:
			t.Errorf("%s: %v", row.reason, err)
		case row.want == "" && got != nil, row.want != "" && (got == nil || !strings.Contains(got.Name, row.want) || got.Advice == ""):
			t.Errorf("%s: recognised as %+v, want %q", row.reason, got, row.want)
		}
	}
	// A later session is looked at where it begins.
	later := append(make(medium, 7*iso9660.BlockSize), with(map[int]string{1024: "BD"})...)
	if got, err := notiso.Recognize(t.Context(), later, 7); err != nil || got == nil {
		t.Errorf("at block 7: %v, %v", got, err)
	}
	if got, err := notiso.Recognize(t.Context(), later, 1<<32-1); err != nil || got != nil {
		t.Errorf("at the last possible block: %v, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := notiso.Recognize(ctx, later, 7); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestMadeByOthers recognises what the programs of Debian make.
func TestMadeByOthers(t *testing.T) {
	for _, row := range []struct {
		reason string
		make   []string
		size   int64
		want   string
		udf    bool
	}{
		{"e2fsprogs", []string{"mke2fs", "-q", "-F", "DISC"}, 1 << 20, "ext2", false},
		{"genisoimage, a bridge", []string{"genisoimage", "-quiet", "-udf", "-J", "-o", "DISC", "SOURCE"}, 0, "UDF", true},
		{"genisoimage, no bridge", []string{"genisoimage", "-quiet", "-J", "-o", "DISC", "SOURCE"}, 0, "", false},
	} {
		dir := t.TempDir()
		disc := filepath.Join(dir, "disc")
		if row.size > 0 {
			must(t, os.WriteFile(disc, make([]byte, row.size), 0o600))
		}
		must(t, os.MkdirAll(filepath.Join(dir, "source", "d"), 0o755))
		args := strings.Split(strings.NewReplacer("DISC", disc, "SOURCE", filepath.Join(dir, "source")).Replace(strings.Join(row.make, "\x00")), "\x00")
		cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
		cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
		if cmd.Err != nil { // it is looked for in our own path
			cmd.Path, cmd.Err = filepath.Join("/sbin", args[0]), nil
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", row.reason, err, out)
		}
		b, err := os.ReadFile(disc)
		must(t, err)
		got, err := notiso.Recognize(t.Context(), medium(b), 0)
		if err != nil || row.want == "" && got != nil || row.want != "" && (got == nil || !strings.Contains(got.Name, row.want)) {
			t.Errorf("%s: recognised as %v, %v; want %q", row.reason, got, err, row.want)
		}
		if got, err := notiso.HasUDF(t.Context(), medium(b), 0); err != nil || got != row.udf {
			t.Errorf("%s: UDF %v, %v", row.reason, got, err)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func FuzzRecognize(f *testing.F) {
	f.Add([]byte("BD"), uint16(1024))
	f.Add([]byte("\x00NSR02\x01"), uint16(32768))
	f.Add(bytes.Repeat([]byte{0x55, 0xAA}, 40), uint16(440))
	f.Fuzz(func(t *testing.T, text []byte, at uint16) {
		disc := with(map[int]string{int(at): string(text)})
		got, err := notiso.Recognize(t.Context(), disc, 0)
		if err != nil {
			t.Error(err)
		}
		if found, _ := notiso.HasUDF(t.Context(), disc, 0); found && (got == nil || !strings.Contains(got.Name, "UDF")) {
			t.Errorf("UDF, and recognised as %v", got)
		}
	})
}
