// Package discs opens what a user calls a disc: an emulated disc made by
// `burnfs create`, a plain ISO image, or, in a later version, a real drive.
// Behind this door there are only MMC commands.
package discs
