package cli

import "strings"

// mkisofsLong are the long options of mkisofs that `burnfs image` has too.
// mkisofs writes them with one dash, which here would be a cluster of letters.
var mkisofsLong = map[string]string{
	"-graft-points":    "--graft-points",
	"-output":          "--output",
	"-volid":           "--volid",
	"-rock":            "--rock",
	"-rational-rock":   "--rational-rock",
	"-joliet":          "--joliet",
	"-cdrecord-params": "--cdrecord-params",
	"-prev-session":    "--prev-session",
	"-quiet":           "--quiet",
}

// mkisofsArgs lets `burnfs image` be called with mkisofs' spelling. Arguments
// of other commands, and those behind "--", stay as they are.
func mkisofsArgs(args []string) []string {
	out := append([]string(nil), args...)
	image := false
	for i, arg := range out {
		if arg == "--" {
			break
		}
		if !image {
			if !strings.HasPrefix(arg, "-") {
				if arg != "image" {
					break
				}
				image = true
			}
			continue
		}
		if long, ok := mkisofsLong[arg]; ok {
			out[i] = long
		}
	}
	return out
}
