package readers

import (
	"fmt"
	"strings"

	"al.essio.dev/pkg/shellescape"

	"burnfs/session/history"
)

// commands are the ways to see one session.
func (e *examiner) commands(s *history.Session) []Command {
	return []Command{
		{"burnfs", fmt.Sprintf("burnfs mount -o session=%d %s /mnt", s.Number, shellescape.Quote(e.Name))},
		{"Linux", e.isofs(s)},
		{"macOS", macMount(s)},
		{"xorriso", e.load(s)},
	}
}

// isofs mounts it on Linux, whatever the drive says (mount(8), sbsector).
func (e *examiner) isofs(s *history.Session) string {
	loop := ""
	if e.File {
		loop = "loop,"
	}
	return fmt.Sprintf("mount -t iso9660 -o %sro,sbsector=%d %s /mnt", loop, s.Sbsector(), shellescape.Quote(e.Name))
}

// macMount mounts it on macOS (mount_cd9660(8), -s).
func macMount(s *history.Session) string {
	return fmt.Sprintf("mount_cd9660 -s %d /dev/diskN /mnt", s.Sbsector())
}

func (e *examiner) load(s *history.Session) string {
	return fmt.Sprintf("xorriso -load sbsector %d -indev %s -find / --", s.Start, shellescape.Quote(e.device()))
}

// device names a file as xorriso wants it, which takes files below /dev for drives.
func (e *examiner) device() string {
	if e.File && strings.HasPrefix(e.Name, "/dev/") {
		return "stdio:" + e.Name
	}
	return e.Name
}
