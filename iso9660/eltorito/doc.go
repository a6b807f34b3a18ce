// Package eltorito reads and makes the structures from which a computer boots a
// disc: "El Torito" Bootable CD-ROM Format Specification, Version 1.0 (Phoenix
// Technologies and IBM, January 1995). Figures are cited as they are numbered
// there; offsets are counted from 0.
//
//	start+17   Boot Record Volume Descriptor ── Catalog() ──┐   (Figure 7)
//	                                                        ▼
//	anywhere   ┌ Boot Catalog: entries of 32 bytes ───────────────────┐
//	           │ 00  Validation Entry: platform, checksum   (Figure 2)│
//	           │ 01  Initial Entry: one image               (Figure 3)│
//	           │ 02  Section Header: platform, number n     (Figure 4)│
//	           │ 03  Section Entry: one image               (Figure 5)│
//	           │ 04    Section Entry Extension              (Figure 6)│
//	           │  …  n Section Entries, each with extensions          │
//	           │  …  further sections; header 91h is the last         │
//	           └──────────────────────────────────────────────────────┘
//	anywhere   boot images; entries name the block where one begins
//
// All addresses count blocks of 2048 bytes from the beginning of the medium, so
// they stay good in a later session. The firmware reads the descriptor at block 17
// of the session that its drive shows as the only one, which need not be the
// newest.
//
// A boot image may be a file of the tree or not; nothing in the catalogue tells.
// What boot loaders have patched into them of the places where they and the
// volume descriptors lie is in infotable.go.
//
// A disc is not trusted: at most [MaxBlocks] blocks of a catalogue are read, and
// what does not fit the format ends it.
package eltorito
