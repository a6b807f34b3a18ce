// Package reopen keeps a drive usable that goes away and comes back: a USB cable
// that is pulled, a drive that is switched off, a connection over a network that
// is cut. A [Transport] stands in front of the one that reaches the drive:
//
//	           command fails, mmc.ErrDriveGone
//	┌──────────┐ ─────────────────────────────▶ ┌──────────┐ looked for when a
//	│ attached │                                │   gone   │ command comes, at most
//	└──────────┘ ◀───────────────────────────── └──────────┘ every Interval
//	           the same drive was found; the
//	           next command ends with UNIT
//	           ATTENTION 6/28/00
//
// The command during which the drive went fails, and is not sent again: whether it
// was executed, nobody knows. Commands that come shortly after wait for the drive
// (Options.Grace); later ones fail at once if it is not there. That the medium may
// be another one now, everybody above learns as from a drive whose tray was open:
// by a unit attention.
//
// A drive is the same if vendor, product and serial number are. It may come back
// under another name: after an unplugged /dev/sr0, whose name is still held by who
// had it open, the kernel calls the same drive /dev/sr1.
package reopen
