package cli

import "github.com/dustin/go-humanize/english"

// count is "1 file" or "7 files"; plural is for what takes more than an s.
func count[N int | int64](n N, one, plural string) string { return english.Plural(int(n), one, plural) }

func countFiles[N int | int64](n N) string { return count(n, "file", "") }

func countDirs[N int | int64](n N) string { return count(n, "directory", "") }
