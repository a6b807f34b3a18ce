package discinfo

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize"

	"burnfs/cmd/burnfs/internal/speed"
)

// stateTexts words the states for people.
var stateTexts = map[string]string{
	Blank:       "blank",
	Appendable:  "open: more sessions can follow",
	Interrupted: "a burn was interrupted and not closed",
	Closed:      "closed: nothing can be added",
	Rewritable:  "rewritable",
	Unformatted: "not formatted; that is done when it is written first",
}

// Print writes the info for people.
func (i *Info) Print(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(tw, "%s:\t%s\n", name, fmt.Sprintf(format, args...))
	}
	row("Drive", "%s", strings.Join(strings.Fields(i.Drive.Vendor+" "+i.Drive.Model+" "+i.Drive.Revision), " "))
	if len(i.Drive.Writes) > 0 {
		row("Writes", "%s", strings.Join(i.Drive.Writes, ", "))
	} else {
		row("Writes", "nothing: it can only read")
	}
	if i.Medium == nil {
		row("Disc", "none")
		return tw.Flush()
	}
	if i.PlainFile {
		row("File", "plain, such as an ISO image; it behaves like a rewritable disc")
	}
	i.Medium.print(row)
	return tw.Flush()
}

func (m *Medium) print(row func(name, format string, args ...any)) {
	row("Disc", "%s (profile %04Xh)", m.Name, m.Profile)
	if made := strings.TrimSpace(m.Manufacturer + " " + m.MediaID); made != "" {
		row("Made by", "%s", made)
	}
	row("State", "%s", stateTexts[m.State])
	if m.PartlyFormatted {
		row("Formatting", "begun; it goes on in the background when the disc is used")
	}
	row("Sessions", "%d", m.Sessions)
	if m.VolumeID != "" {
		row("Volume id", "%s", m.VolumeID)
	}
	if m.Boot != nil {
		row("Boots", "%s", m.Boot.text())
	}
	row("Capacity", "%s, %s used", size(m.CapacityBytes), size(m.UsedBytes))
	switch {
	case m.Writable:
		row("Free", "%s from block %d on", size(m.FreeBytes), m.NextAddress)
		if m.OneSession != "" {
			row("Takes", "%s 'burnfs burn --close' writes it.", m.OneSession)
		} else if m.FitsProblem != "" {
			row("Fits", "not known: %s", m.FitsProblem)
		} else {
			row("Fits", "%s of new files in one session", size(m.FitsBytes))
		}
	case m.NotWritableReason != "":
		row("Read only", "%s", m.NotWritableReason)
	}
	if b := m.Interrupted; b != nil {
		row("Interrupted", "session %d at block %d%s", b.Session, b.Start, recorded(b.RecordedBytes))
	}
	if len(m.WriteSpeeds) > 0 {
		var list []string
		for _, s := range m.WriteSpeeds {
			list = append(list, speed.Text(m.profile, s))
		}
		row("Speeds", "%s", strings.Join(list, ", "))
	}
	if m.CurrentWriteSpeed > 0 {
		row("Speed now", "%s", speed.Text(m.profile, m.CurrentWriteSpeed))
	}
	for _, s := range m.Staged {
		what := "changes that were never burned"
		if s.Unfinished {
			what = "an interrupted burn"
		}
		row("Staged", "%s in %s", what, s.Dir)
	}
	if m.Advice != "" {
		row("What to do", "%s", m.Advice)
	}
}

func recorded(n int64) string {
	if n == 0 {
		return ""
	}
	return ", " + size(n) + " recorded"
}

func size(n int64) string { return humanize.IBytes(uint64(max(n, 0))) }
