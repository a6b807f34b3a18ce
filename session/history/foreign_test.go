package history

import (
	"strings"
	"testing"

	"burnfs/iso9660"
	"burnfs/mmc/medium"
)

// TestOtherDiscs lists discs whose first descriptor is not the primary one of an
// ISO 9660 volume.
func TestOtherDiscs(t *testing.T) {
	boot := make([]byte, iso9660.BlockSize)
	copy(boot, "\x00CD001\x01")
	partition := make([]byte, iso9660.BlockSize)
	copy(partition, "\x03CD001\x01")
	for _, c := range []struct {
		reason   string
		from16   [][]byte
		readable bool
		problem  string
		advice   string
	}{
		{"a boot record first", [][]byte{boot, descriptor(100, 40, nil), iso9660.NewTerminator().Bytes()}, true, "", ""},
		{"unknown ones first", [][]byte{partition, partition, boot, descriptor(100, 40, nil)}, true, "", ""},
		{"no primary one", [][]byte{boot, iso9660.NewTerminator().Bytes(), descriptor(100, 40, nil)}, false, "no primary one", ""},
		{"UDF alone", [][]byte{[]byte("\x00BEA01\x01"), []byte("\x00NSR02\x01"), []byte("\x00TEA01\x01")}, false, "a UDF file system", "mount -t udf"},
		{"High Sierra", [][]byte{[]byte("\x10\x00\x00\x00\x00\x00\x00\x10\x01CDROM\x01")}, false, "High Sierra", "copy its files"},
		{"noise", [][]byte{[]byte("noise")}, false, "not an ISO 9660 volume", ""},
	} {
		for _, kind := range []medium.Kind{medium.Overwritable, medium.Sequential} {
			disc := make(flat, 300*iso9660.BlockSize)
			for i, d := range c.from16 {
				copy(disc[(16+i)*iso9660.BlockSize:], d)
			}
			info := &medium.Info{Kind: kind, Capacity: 300, Free: 300, Total: 300}
			if kind == medium.Sequential {
				info.Sessions = []medium.Session{{Complete: true, Tracks: []medium.Track{{Start: 0, Blocks: 300}}}}
			}
			all, err := List(t.Context(), info, disc)
			if err != nil || len(all) != 1 {
				t.Errorf("%s: %d sessions, %v", c.reason, len(all), err)
				continue
			}
			s := all[0]
			if s.Readable != c.readable || !strings.Contains(s.Problem, c.problem) || c.readable && s.Problem != "" ||
				!strings.Contains(s.Advice, c.advice) || c.advice == "" && s.Advice != "" {
				t.Errorf("%s: %+v", c.reason, s)
			}
		}
	}
}
