package judge

import (
	"regexp"
	"strconv"
	"strings"

	"burnfs/integration/harness"
)

// sizeOfImage is what grows with each session, and what xorriso makes of a
// partition that was as large.
var sizeOfImage = regexp.MustCompile(`^(ISO image size|System area (options|summary))`)

// Boot is what xorriso reports of booting the session: the El Torito catalogue
// and what is in the system area, a line each.
func (v View) Boot() (lines []string) {
	v.Helper()
	args := []string{"-md5", "on"}
	if !v.Direct {
		args = append(args, "-load", "sbsector", strconv.FormatUint(uint64(v.Start), 10))
	}
	args = append(args, "-indev", "stdio:"+v.File, "-report_el_torito", "plain", "-report_system_area", "plain")
	r := harness.Try(v, "xorriso", args...)
	if r.Code != 0 {
		v.Fatalf("%v", r)
	}
	for line := range strings.Lines(r.Stdout) {
		line = strings.TrimSpace(line)
		if line != "" && !sizeOfImage.MatchString(line) {
			lines = append(lines, line)
		}
	}
	return lines
}

// IsoinfoBoot are the lines of `isoinfo -d` on El Torito.
func (v View) IsoinfoBoot() string {
	v.Helper()
	out := harness.Run(v, "isoinfo", "-d", "-i", v.Plain())
	at := strings.Index(out, "Eltorito validation header")
	if at < 0 {
		return ""
	}
	return out[at:]
}
