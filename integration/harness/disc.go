package harness

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"time"

	"burnfs/mmc/emu"
)

// PlainISO is the medium that is a file without a description beside it.
const PlainISO = "iso"

// Media are all kinds of discs to which sessions can be added, the plain file
// included.
var Media = media()

func media() []string {
	var names []string
	for _, name := range emu.MediaNames() {
		if emu.Media(name).TakesSessions() {
			names = append(names, name)
		}
	}
	return append(names, PlainISO)
}

// Overwritable tells whether sessions of a medium are emulated: its blocks 0 to
// 31 show the newest one.
func Overwritable(media string) bool {
	return slices.Contains([]string{"dvd+rw", "dvd-ram", "bd-re", PlainISO}, media)
}

// Disc is a disc file.
type Disc struct {
	lab   *Lab
	Media string
	Path  string
	// Broken: the test damages the disc on purpose, so that it is neither checked nor judged.
	Broken bool
}

// Disc makes a blank disc. Of a plain ISO file only the name is chosen; the
// first mount makes it.
func (l *Lab) Disc(media string, createArgs ...string) *Disc {
	l.Helper()
	d := l.Adopt(media, l.Path("disc-"+media+".img"))
	if media != PlainISO {
		l.MustBurnfs(append(append([]string{"create", "--media", media}, createArgs...), d.Path)...)
	}
	return d
}

// Adopt takes a file that exists, or will, for a disc.
func (l *Lab) Adopt(media, path string) *Disc {
	d := &Disc{lab: l, Media: media, Path: path}
	l.discs = append(l.discs, d)
	return d
}

// Session is a row of `burnfs sessions --json`.
type Session struct {
	Number   int       `json:"number"`
	Start    uint32    `json:"start"`
	Blocks   uint32    `json:"blocks"`
	Sbsector uint32    `json:"sbsector"` // for mount -o sbsector=
	Time     time.Time `json:"time"`
	VolumeID string    `json:"volume_id"`
	Content  string    `json:"content"` // iso9660, audio, …
	Burnfs   bool      `json:"burnfs"`  // made by burnfs
	Unlinked bool      `json:"unlinked"`
	Files    int64     `json:"files"`
	Dirs     int64     `json:"dirs"`
}

// Sessions lists what is on the disc.
func (d *Disc) Sessions() []Session {
	d.lab.Helper()
	out := d.lab.MustBurnfs("sessions", "--json", d.Path)
	var list []Session
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		d.lab.Fatalf("burnfs sessions --json %s: %v\n%s", filepath.Base(d.Path), err, out)
	}
	return list
}

// Last returns the newest session.
func (d *Disc) Last() Session {
	d.lab.Helper()
	list := d.Sessions()
	if len(list) == 0 {
		d.lab.Fatalf("%s has no session", d.Path)
	}
	return list[len(list)-1]
}

// MSInfo returns what `burnfs msinfo` prints, without the end of the line.
func (d *Disc) MSInfo() string {
	d.lab.Helper()
	out := d.lab.MustBurnfs("msinfo", d.Path)
	return out[:max(len(out)-1, 0)]
}
