package checksum

import (
	"strconv"
	"time"
)

// TimeName is the attribute of the root with a time at least a second before the
// files of the session were looked at.
const TimeName = "isofs.st"

// AppendTime appends the value of isofs.st: seconds since 1970, in decimal digits.
func AppendTime(dst []byte, t time.Time) []byte { return strconv.AppendInt(dst, t.Unix(), 10) }
