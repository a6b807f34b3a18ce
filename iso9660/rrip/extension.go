package rrip

import "burnfs/iso9660/susp"

// Identifiers by which the protocol announces itself in an ER entry (4.3).
const (
	Identifier1991  = "RRIP_1991A" // versions 1.09 and 1.10
	IdentifierP1282 = "IEEE_P1282" // version 1.12 as drafted
	Identifier1282  = "IEEE_1282"  // version 1.12 as adopted; what libisofs writes
)

// ER1991 announces version 1.10, with the texts that it recommends (4.3).
func ER1991() susp.ER {
	return susp.ER{
		Version:    1,
		Identifier: Identifier1991,
		Descriptor: "THE ROCK RIDGE INTERCHANGE PROTOCOL PROVIDES SUPPORT FOR POSIX FILE SYSTEM SEMANTICS",
		Source: "PLEASE CONTACT DISC PUBLISHER FOR SPECIFICATION SOURCE.  " +
			"SEE PUBLISHER IDENTIFIER IN PRIMARY VOLUME DESCRIPTOR FOR CONTACT INFORMATION.",
	}
}

// ER1282 announces version 1.12, with the texts that it recommends (4.3).
func ER1282() susp.ER {
	return susp.ER{
		Version:    1,
		Identifier: Identifier1282,
		Descriptor: "THE IEEE 1282 PROTOCOL PROVIDES SUPPORT FOR POSIX FILE SYSTEM SEMANTICS.",
		Source: "PLEASE CONTACT THE IEEE STANDARDS DEPARTMENT, " +
			"PISCATAWAY, NJ, USA FOR THE 1282 SPECIFICATION.",
	}
}

// IsRockRidge tells whether identifier is one of the protocol's own.
func IsRockRidge(identifier string) bool {
	switch identifier {
	case Identifier1991, IdentifierP1282, Identifier1282:
		return true
	}
	return false
}
