package emu

// Formats of READ DISC STRUCTURE (MMC-5 6.23.3).
const (
	structurePhysical        = 0x00 // DVD
	structureDiscInformation = 0x00 // BD
	structureSpareArea       = 0x0a // BD, DVD-RAM
	structurePrerecorded     = 0x0e // DVD-R, DVD-RW
	structureControlData     = 0x10 // DVD-R, DVD-RW: as the lead-in has it
	structureADIP            = 0x11 // DVD+R, DVD+RW
	structureLayerBoundary   = 0x20 // DVD+R DL
	structurePAC             = 0x30 // BD
	structureProtection      = 0xc0
	structureList            = 0xff
)

// structure is a reply of READ DISC STRUCTURE.
type structure struct {
	format byte
	length int // without the header
	make   func(*medium) ([]byte, error)
}

// structures lists what the drive tells about the medium.
func (m *medium) structures() []structure {
	list := []structure{{structureProtection, 4, (*medium).writeProtection}}
	switch m.media {
	case BDR, BDRE:
		list = append(list, structure{structureDiscInformation, 112, (*medium).discInformation},
			structure{structureSpareArea, 12, (*medium).spareArea},
			structure{structurePAC, 0, (*medium).accessControl})
	case DVDRAM:
		list = append(list, structure{structurePhysical, 2048, (*medium).physicalFormat},
			structure{structureSpareArea, 12, (*medium).supplementarySpare})
	case DVDR, DVDRW, DVDRDL:
		list = append(list, structure{structurePhysical, 2048, (*medium).physicalFormat},
			structure{structurePrerecorded, 40, (*medium).prerecorded},
			structure{structureControlData, 2048, (*medium).controlData})
	case DVDPlusR, DVDPlusRW, DVDPlusRDL:
		list = append(list, structure{structurePhysical, 2048, (*medium).physicalFormat},
			structure{structureADIP, 256, (*medium).adip})
	}
	if m.media == DVDPlusRDL {
		list = append(list, structure{structureLayerBoundary, 8, (*medium).layerBoundary})
	}
	return list
}

// readDiscStructure tells what is pressed into the medium or written around its
// data (MMC-5 6.23).
func (d *Drive) readDiscStructure(r *request) error {
	const readable = 0x40
	m := d.medium
	family, format := r.cdb[1]&0x0f, r.cdb[7]
	isBD := m.media == BDR || m.media == BDRE
	if m.profile.IsCD() {
		return incompatibleMedium
	}
	if (family == 1) != isBD && format < structureProtection {
		return invalidField.inCDB(1)
	}
	b := make([]byte, 4)
	found := false
	for _, s := range m.structures() {
		if format == structureList {
			found = true
			n := s.length + 2
			b = append(b, s.format, readable, byte(n>>8), byte(n))
		}
		if s.format != format {
			continue
		}
		data, err := s.make(m)
		if err != nil {
			return err
		}
		b, found = append(b, data...), true
	}
	if !found {
		return invalidField.inCDB(7)
	}
	put16(b, 0, uint16(len(b)-2))
	return r.reply(b, r.u16(8))
}

func (m *medium) writeProtection() ([]byte, error) {
	return []byte{bit(m.protected, 0x02), 0, 0, 0}, nil // PWP: persistently protected
}

// maker is the manufacturer's code in all media.
const maker = "BURNFS"

// discInformation is a Disc Information unit of a BD.
func (m *medium) discInformation() ([]byte, error) {
	b := make([]byte, 112)
	copy(b[0:], "DI")
	b[2], b[5] = 1, 0 // format 1, first unit
	copy(b[8:], map[Media]string{BDR: "BDR", BDRE: "BDW"}[m.media])
	copy(b[100:], maker)
	copy(b[106:], "EMU")
	return b, nil
}

// spareArea tells about the spare areas of a BD, which only formatted ones have.
func (m *medium) spareArea() ([]byte, error) {
	if m.Spare == 0 || m.media == BDRE && m.Formatting == formatNone {
		return nil, formatCorrupted
	}
	b := make([]byte, 12)
	put32(b, 4, m.Spare)
	put32(b, 8, m.Spare)
	return b, nil
}

// accessControl lists no physical access control structure.
func (m *medium) accessControl() ([]byte, error) {
	if m.Spare == 0 || m.media == BDRE && m.Formatting == formatNone {
		return nil, formatCorrupted
	}
	return nil, nil
}

// supplementarySpare tells about the spare areas of a DVD-RAM. The primary one has
// 12800 blocks.
func (m *medium) supplementarySpare() ([]byte, error) {
	b := make([]byte, 12)
	put32(b, 0, 12800)
	put32(b, 4, m.Spare)
	put32(b, 8, m.Spare)
	return b, nil
}

// prerecorded has the manufacturer's code in fields 3 and 4.
func (m *medium) prerecorded() ([]byte, error) {
	b := make([]byte, 40)
	b[0], b[8], b[16], b[24], b[32] = 1, 2, 3, 4, 5
	copy(b[17:23], maker)
	copy(b[25:31], "EMU   ")
	return b, nil
}

// controlData is the physical format information that is written with the lead-in
// (MMC-5 6.23.3.2.16): it ends with what is recorded. Without a closed session there
// is none.
func (m *medium) controlData() ([]byte, error) {
	end := m.rules.capacity(m)
	if end == 0 || m.Intermediate {
		return nil, invalidField.inCDB(7)
	}
	b, err := m.physicalFormat()
	put24(b, 9, uint32(b[5])<<16|uint32(b[6])<<8|uint32(b[7])+end-1)
	return b, err
}

func (m *medium) adip() ([]byte, error) {
	b, err := m.physicalFormat()
	return b[:256], err
}

// physicalFormat is the physical format information of a DVD (MMC-5 6.23.3.2.1).
// That of DVD+ media has the manufacturer's code, too.
func (m *medium) physicalFormat() ([]byte, error) {
	const (
		firstBlock    = 0x030000 // physical number of LBA 0
		firstBlockRAM = 0x031000
	)
	book := map[Media]byte{
		DVDRAM: 0x16, DVDR: 0x25, DVDRW: 0x32, DVDRDL: 0x26, DVDPlusRW: 0x92, DVDPlusR: 0xa1, DVDPlusRDL: 0xe1,
	}[m.media]
	b := make([]byte, 2048)
	b[0] = book // book type, part version
	b[1] = 0x0f // 120 mm, no maximum rate
	b[2] = 0x02 // one layer, recordable
	if m.erasable {
		b[2] = 0x04
	}
	start := uint32(firstBlock)
	if m.media == DVDRAM {
		start = firstBlockRAM
	}
	put24(b, 5, start)
	put24(b, 9, start+m.Blocks-1)
	if m.media == DVDRDL || m.media == DVDPlusRDL {
		b[2] |= 1 << 5
		put24(b, 13, start+m.Blocks/2-1) // end of the first layer
	}
	switch m.media {
	case DVDPlusR, DVDPlusRW, DVDPlusRDL:
		copy(b[19:27], maker)
		copy(b[27:30], "EMU")
	}
	return b, nil
}

func (m *medium) layerBoundary() ([]byte, error) {
	b := make([]byte, 8)
	b[0] = 0x80 // cannot be set
	put32(b, 4, m.Blocks/2)
	return b, nil
}
