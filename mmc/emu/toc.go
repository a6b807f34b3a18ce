package emu

// Formats of READ TOC/PMA/ATIP (MMC-5 6.26.2.5).
const (
	tocFormatted = 0
	tocSessions  = 1
	tocRaw       = 2
	tocPMA       = 3
	tocATIP      = 4
)

const leadOutNumber = 0xaa

// tocTracks lists the tracks of complete sessions: what a table of contents can
// tell. Numbers of media with more than 99 tracks do not fit, so they are shown
// as two: all before the last session, and the last session.
func (m *medium) tocTracks() (tracks []trackView, leadOut uint32) {
	if !m.isSequential() {
		if m.Formatting == formatNone {
			return nil, 0
		}
		return m.rules.tracks(m)[:1], m.rules.capacity(m)
	}
	complete := m.closedSessions()
	for _, v := range m.rules.tracks(m) {
		if v.session <= complete {
			tracks = append(tracks, v)
			leadOut = v.start + v.size
		}
	}
	if len(tracks) > 99 {
		first, last := tracks[0], tracks[len(tracks)-1]
		for _, v := range tracks {
			if v.session == last.session {
				last = v
				break
			}
		}
		first.number, last.number = 1, 2
		tracks = []trackView{first, last}
	}
	return tracks, leadOut
}

// control returns the CONTROL field of a track (MMC-5 4.2.3.4).
func (v *trackView) control() byte {
	if v.audio {
		return 0
	}
	return 4
}

func (d *Drive) readTOC(r *request) error {
	format := r.cdb[2] & 0xf
	if format == 0 {
		format = r.cdb[9] >> 6 // where it was before MMC-2
	} else if r.cdb[9] != 0 {
		return invalidField.inCDB(9)
	}
	useMSF := r.cdb[1]&2 != 0
	m := d.medium
	tracks, leadOut := m.tocTracks()
	var b []byte
	var err error
	switch {
	case format == tocATIP && m.profile.IsCD():
		b = m.atip()
	case format == tocPMA && m.profile.IsCD():
		b = m.pma()
	case len(tracks) == 0:
		return invalidField.inCDB(2)
	case format == tocFormatted:
		b, err = formattedTOC(tracks, leadOut, r.cdb[6], useMSF)
	case format == tocSessions:
		b = m.sessionInfo(tracks, useMSF)
	case format == tocRaw && m.profile.IsCD():
		b = m.rawTOC(tracks, r.cdb[6])
	default:
		return invalidField.inCDB(2)
	}
	if err != nil {
		return err
	}
	put16(b, 0, uint16(len(b)-2))
	return r.reply(b, r.u16(7))
}

func tocAddress(b []byte, off int, lba uint32, useMSF bool) {
	if useMSF {
		t := msf(lba)
		copy(b[off:], t[:])
		return
	}
	put32(b, off, lba)
}

// formattedTOC lists tracks from a number on (MMC-5 6.26.3.2).
func formattedTOC(tracks []trackView, leadOut uint32, from byte, useMSF bool) ([]byte, error) {
	first, last := tracks[0].number, tracks[len(tracks)-1].number
	if int(from) > last && from != leadOutNumber {
		return nil, invalidField.inCDB(6)
	}
	b := []byte{0, 0, byte(first), byte(last)}
	add := func(control, number byte, lba uint32) {
		d := make([]byte, 8)
		d[1], d[2] = 1<<4|control, number
		tocAddress(d, 4, lba, useMSF)
		b = append(b, d...)
	}
	for _, v := range tracks {
		if v.number >= int(from) {
			add(v.control(), byte(v.number), v.start)
		}
	}
	add(tracks[len(tracks)-1].control(), leadOutNumber, leadOut)
	return b, nil
}

// sessionInfo tells the first track of the last complete session (MMC-5
// 6.26.3.3).
func (m *medium) sessionInfo(tracks []trackView, useMSF bool) []byte {
	last := tracks[len(tracks)-1]
	for _, v := range tracks {
		if v.session == last.session {
			last = v
			break
		}
	}
	b := make([]byte, 12)
	b[2], b[3] = 1, byte(min(last.session, 0xff))
	b[5], b[6] = 1<<4|last.control(), byte(last.number)
	tocAddress(b, 8, last.start, useMSF)
	return b
}

// rawTOC lists the Q channel of the lead-ins from a session on (MMC-5
// 6.26.3.4): in each session the points A0h, A1h, A2h, its tracks, and in all
// but the last of a closed disc B0h, where the next session can begin.
func (m *medium) rawTOC(tracks []trackView, from byte) []byte {
	lastSession := tracks[len(tracks)-1].session
	b := []byte{0, 0, 1, byte(lastSession)}
	add := func(session int, adr, control, point byte, time, p [3]byte) {
		d := make([]byte, 11)
		d[0], d[1], d[3] = byte(session), adr<<4|control, point
		copy(d[4:7], time[:])
		copy(d[8:11], p[:])
		b = append(b, d...)
	}
	for i := 0; i < len(tracks); {
		ses, j := tracks[i].session, i
		for j < len(tracks) && tracks[j].session == ses {
			j++
		}
		in := tracks[i:j]
		i = j
		if ses < int(from) {
			continue
		}
		control := in[0].control()
		end := in[len(in)-1].start + in[len(in)-1].size
		add(ses, 1, control, 0xa0, [3]byte{}, [3]byte{byte(in[0].number), m.Sessions[ses-1].Format})
		add(ses, 1, in[len(in)-1].control(), 0xa1, [3]byte{}, [3]byte{byte(in[len(in)-1].number)})
		add(ses, 1, in[len(in)-1].control(), 0xa2, [3]byte{}, msf3(end))
		for k := range in {
			add(ses, 1, in[k].control(), byte(in[k].number), [3]byte{}, msf3(in[k].start))
		}
		if ses == lastSession && m.Finalized {
			continue
		}
		next := uint64(end) + uint64(rulesOf(m).sessionGap(ses))
		add(ses, 5, control, 0xb0, msf3(uint32(next)), msf3(m.Blocks))
		if ses == 1 {
			// Where the first lead-in begins, and the recording power.
			add(ses, 5, control, 0xc0, [3]byte{atipPower & 0x7f}, atipLeadIn)
		}
	}
	return b
}

func msf3(lba uint32) [3]byte {
	t := msf(lba)
	return [3]byte(t[1:])
}

// pma lists the program memory area (MMC-5 6.26.3.5): every track that was not
// recorded at once, from its start to its end.
func (m *medium) pma() []byte {
	b := make([]byte, 4)
	views := m.rules.tracks(m)
	for i := range views {
		v := &views[i]
		if v.rec == nil || v.rec.AtOnce || v.rec.State == trackOpen {
			continue
		}
		end, start := msf3(v.start+v.size), msf3(v.start)
		e := make([]byte, 11)
		e[1], e[3] = 1<<4|v.control(), byte(v.number)
		copy(e[4:7], end[:])
		copy(e[8:11], start[:])
		b = append(b, e...)
	}
	return b
}

// atipPower is the recommended writing power of the discs, atipLeadIn where
// their lead-in begins, by which programs tell who made them.
const atipPower = 0x80 | 5<<4

var atipLeadIn = [3]byte{97, 26, 60}

// atip tells what is pressed into the groove of a CD (MMC-5 6.26.3.6).
func (m *medium) atip() []byte {
	b := make([]byte, 28)
	b[4] = atipPower | bit(m.erasable, 1) // reference speed of a CD-RW: 2x
	b[5] = 0x40                           // unrestricted use
	b[6] = 0x80 | bit(m.erasable, 0x40)
	copy(b[8:11], atipLeadIn[:])
	leadOut := msf3(m.Blocks)
	copy(b[12:15], leadOut[:])
	return b
}
