package iscsi

import "burnfs/mmc"

// Lengths of the mode parameter header (SPC-3 7.4.3).
const (
	modeHeader6  = 4
	modeHeader10 = 8
)

// modeSense6 answers MODE SENSE(6) by what the drive says to MODE SENSE(10): MMC
// has dropped the short form, but Linux's sr driver asks a drive behind a SCSI
// transport for its capabilities with nothing else (SPC-3 6.9, 6.10).
func (u *unit) modeSense6(cmd *mmc.Command) error {
	c := cmd.CDB
	room := max(int(c[4]), modeHeader6) + modeHeader10 - modeHeader6
	long := &mmc.Command{
		CDB:       []byte{byte(mmc.OpModeSense10), c[1] & 0x08, c[2], c[3], 0, 0, 0, byte(room >> 8), byte(room), c[5]},
		Direction: mmc.FromDrive, Data: make([]byte, room), Timeout: cmd.Timeout,
	}
	if err := u.toDrive(long); err != nil {
		return err
	}
	got := long.Transferred()
	if len(got) < modeHeader10 {
		return reply(cmd, nil, 0)
	}
	total := int(got[0])<<8 | int(got[1]) + 2 // SPC-3 table 240: the length field does not count itself
	total -= modeHeader10 - modeHeader6
	if total > 256 { // what one byte cannot tell
		return refused(cmd, senseInvalidField)
	}
	short := append([]byte{byte(total - 1), got[2], got[3], got[7]}, got[modeHeader10:]...)
	return reply(cmd, short, int(c[4]))
}
