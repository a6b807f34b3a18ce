package iso9660

import "time"

// Sizes of the two date formats in bytes.
const (
	DirectoryTimeSize = 7  // ECMA-119 9.1.5
	VolumeTimeSize    = 17 // ECMA-119 8.4.26.1
)

// Years that the formats can hold.
const (
	minDirectoryYear = 1900
	maxDirectoryYear = 1900 + 255
	minVolumeYear    = 1
	maxVolumeYear    = 9999
)

// quarterHour is the unit of the offset from Greenwich (9.1.5).
const quarterHour = 15 * time.Minute

// Offsets from Greenwich that a date field may hold, in quarters of an hour.
const (
	minZone = -48
	maxZone = 52
)

// DirectoryTime decodes the first 7 bytes of b as a date of ECMA-119 9.1.5:
//
//	years since 1900, month, day, hour, minute, second, quarters of an hour
//	east of Greenwich (signed)
//
// The result is in UTC and exact to the second. Seven zero bytes say that no
// date is recorded; the result then is the zero Time. A field that holds no
// date gives the zero Time and ErrDate. An offset out of range is taken for 0,
// as Linux does.
func DirectoryTime(b []byte) (time.Time, error) {
	_ = b[DirectoryTimeSize-1]
	if b[0]|b[1]|b[2]|b[3]|b[4]|b[5]|b[6] == 0 {
		return time.Time{}, nil
	}
	return civil(minDirectoryYear+int(b[0]), int(b[1]), int(b[2]), int(b[3]), int(b[4]), int(b[5]), 0, int8(b[6]))
}

// PutDirectoryTime stores t in the first 7 bytes of b, as UTC and cut to the
// second. The zero Time is stored as "not recorded"; years outside 1900 to 2155
// become the nearest instant that the format can hold.
func PutDirectoryTime(b []byte, t time.Time) {
	_ = b[DirectoryTimeSize-1]
	if t.IsZero() {
		clear(b[:DirectoryTimeSize])
		return
	}
	t = t.UTC()
	year, month, day := t.Date()
	if year < minDirectoryYear || year > maxDirectoryYear {
		t = clampYears(t, minDirectoryYear, maxDirectoryYear)
		year, month, day = t.Date()
	}
	b[0], b[1], b[2] = byte(year-minDirectoryYear), byte(month), byte(day)
	hour, minute, second := t.Clock()
	b[3], b[4], b[5], b[6] = byte(hour), byte(minute), byte(second), 0
}

// AppendDirectoryTime appends what PutDirectoryTime stores.
func AppendDirectoryTime(dst []byte, t time.Time) []byte {
	var b [DirectoryTimeSize]byte
	PutDirectoryTime(b[:], t)
	return append(dst, b[:]...)
}

// VolumeTime decodes the first 17 bytes of b as a date of ECMA-119 8.4.26.1:
// the digits YYYYMMDDhhmmsscc (cc hundredths of a second) and quarters of an
// hour east of Greenwich. The result is in UTC. All digits '0' (or all bytes
// zero, which some producers write) say that no date is recorded; the result
// then is the zero Time.
func VolumeTime(b []byte) (time.Time, error) {
	b = b[:VolumeTimeSize]
	unrecorded := true
	for _, c := range b[:16] {
		unrecorded = unrecorded && (c == '0' || c == 0)
	}
	if unrecorded {
		return time.Time{}, nil
	}
	var field [7]int
	widths := [7]int{4, 2, 2, 2, 2, 2, 2}
	at := 0
	for i, width := range widths {
		for _, c := range b[at : at+width] {
			if c < '0' || c > '9' {
				return time.Time{}, ErrDate
			}
			field[i] = field[i]*10 + int(c-'0')
		}
		at += width
	}
	return civil(field[0], field[1], field[2], field[3], field[4], field[5], field[6]*10_000_000, int8(b[16]))
}

// PutVolumeTime stores t in the first 17 bytes of b, as UTC and cut to the
// hundredth of a second. The zero Time is stored as "not recorded".
func PutVolumeTime(b []byte, t time.Time) {
	b = b[:VolumeTimeSize]
	b[16] = 0
	if t.IsZero() {
		for i := range b[:16] {
			b[i] = '0'
		}
		return
	}
	t = clampYears(t.UTC(), minVolumeYear, maxVolumeYear)
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	digits(b[0:4], year)
	digits(b[4:6], int(month))
	digits(b[6:8], day)
	digits(b[8:10], hour)
	digits(b[10:12], minute)
	digits(b[12:14], second)
	digits(b[14:16], t.Nanosecond()/10_000_000)
}

// AppendVolumeTime appends what PutVolumeTime stores.
func AppendVolumeTime(dst []byte, t time.Time) []byte {
	var b [VolumeTimeSize]byte
	PutVolumeTime(b[:], t)
	return append(dst, b[:]...)
}

func digits(b []byte, v int) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte('0' + v%10)
		v /= 10
	}
}

// civil makes a UTC instant of calendar fields, refusing those that time.Date
// would silently carry into the next larger unit.
func civil(year, month, day, hour, minute, second, nsec int, zone int8) (time.Time, error) {
	if month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, ErrDate
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, nsec, time.UTC)
	if day > 28 && t.Day() != day { // all months have 28
		return time.Time{}, ErrDate
	}
	if zone >= minZone && zone <= maxZone {
		t = t.Add(-time.Duration(zone) * quarterHour)
	}
	return t, nil
}

func clampYears(t time.Time, first, last int) time.Time {
	switch {
	case t.Year() < first:
		return time.Date(first, time.January, 1, 0, 0, 0, 0, time.UTC)
	case t.Year() > last:
		return time.Date(last, time.December, 31, 23, 59, 59, 0, time.UTC)
	}
	return t
}
