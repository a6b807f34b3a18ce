package mmc

import "context"

// POWResources is the POW resources information of READ DISC INFORMATION (MMC-5
// 6.22.3.3): how much more a BD-R can be overwritten that is formatted for
// pseudo-overwrite.
type POWResources []byte

const (
	powResourcesLen = 16
	// dataTypePOW is the data type in the CDB and, in bits 5 to 7 of byte 2, in the
	// reply.
	dataTypePOW = 2
)

// NewPOWResources makes a reply.
func NewPOWResources(replacements, mapEntries, updates uint32) POWResources {
	p := make(POWResources, powResourcesLen)
	put16(p, 0, powResourcesLen-2)
	p[2] = dataTypePOW << 5
	put32(p, 4, replacements)
	put32(p, 8, mapEntries)
	put32(p, 12, updates)
	return p
}

func parsePOWResources(b []byte) (POWResources, error) {
	if len(b) < powResourcesLen || int(u16(b, 0))+2 < powResourcesLen {
		return nil, newResponseError(OpReadDiscInformation, b, "%d bytes instead of %d", len(b), powResourcesLen)
	}
	if b[2]>>5 != dataTypePOW {
		return nil, newResponseError(OpReadDiscInformation, b, "data type %d instead of POW resources", b[2]>>5)
	}
	return POWResources(b[:powResourcesLen]), nil
}

// ReadPOWResources asks for the POW resources of a BD-R (MMC-5 6.22, data type
// 010b).
func (d *Drive) ReadPOWResources(ctx context.Context) (POWResources, error) {
	return query(ctx, d, cdbReadDiscInformation(dataTypePOW, powResourcesLen), make([]byte, powResourcesLen), parsePOWResources)
}

// Replacements returns how many blocks can still be replaced.
func (p POWResources) Replacements() uint32 { return u32(p, 4) }

// MapEntries returns how many entries the map of replaced blocks has left.
func (p POWResources) MapEntries() uint32 { return u32(p, 8) }

// Updates returns how often the map can still be written.
func (p POWResources) Updates() uint32 { return u32(p, 12) }
