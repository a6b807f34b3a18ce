package manual

import (
	"fmt"
	"strings"

	"github.com/cpuguy83/go-md2man/v2/md2man"
)

// FaultExample is the plan that the manual shows.
const FaultExample = `WRITE(10) 3: sense 3/0C/00              # the third WRITE(10) fails
READ(10) at 5000-5999: hang 30s         # READs of these blocks take 30 s longer
CLOSE TRACK SESSION 1: lie              # says done, does nothing
any 170: lose-power for 5s              # what was not durable is gone
WRITE(10) from 100: short 8192          # each moves 4 blocks only
READ(10) chance 0.1%: lost-answer       # one READ in a thousand
slow speed 5540 seek 120ms close 20s    # and all of it takes time
`

// faultWords are the definitions of the page, in its order.
var faultWords = []struct{ section, word, text string }{
	{"COMMANDS", "NAME", "A command by the name MMC gives it, such as WRITE(10), READ TOC, CLOSE TRACK SESSION: in upper or lower case, a blank for a slash, cut short after whole words if it is still clear; or by its operation code, such as 2Ah."},
	{"COMMANDS", "any", "Every command."},
	{"COMMANDS", "at BLOCK, at BLOCK-BLOCK", "Only those that read or write one of these blocks of 2048 bytes."},
	{"COMMANDS", "N", "Only the Nth of these, counted from 1."},
	{"COMMANDS", "from N", "The Nth and all after it."},
	{"COMMANDS", "every N", "Every Nth."},
	{"COMMANDS", "chance P%", "Each with a probability of P percent."},
	{"FAULTS", "sense K/AA/QQ", "The drive refuses with this sense data: key, code and qualifier in hexadecimal, such as 3/0C/00 (write error). With the word done behind it the drive has done the command all the same."},
	{"FAULTS", "deferred K/AA/QQ", "The same, but the sense data blame an earlier command."},
	{"FAULTS", "hang DURATION, hang", "The command takes so much longer. Without a duration, or if burnfs gives the command up before that, it never ends and was not done."},
	{"FAULTS", "short BYTES", "The command moves at most so many bytes: of a READ or WRITE, whole blocks."},
	{"FAULTS", "lie", "The drive says that it has done the command, and does nothing; a reply is all zeros."},
	{"FAULTS", "answer HEX, answer HEX from N", "The command is done, but these bytes stand in its reply from byte N on."},
	{"FAULTS", "never-arrives", "The command does not reach the drive."},
	{"FAULTS", "lost-answer", "The command is done, but its answer is lost."},
	{"FAULTS", "vanish for DURATION, vanish for good", "The cable is out: this command and all others in that time do not arrive. Then the drive reports a reset."},
	{"FAULTS", "lose-power, lose-power for DURATION, lose-power for good", "The power fails: what the drive has not made durable is gone. Without a duration it is back at once."},
	{"SLOW DRIVES", "speed KBPS", "Reading and writing at most this fast, in kB (1000 bytes) per second, through a write buffer."},
	{"SLOW DRIVES", "buffer BYTES", "The size of that buffer; 4 MiB without it."},
	{"SLOW DRIVES", "seek DURATION", "Before a READ or WRITE that does not go on where the last one ended."},
	{"SLOW DRIVES", "load DURATION", "From the coming in of the disc until it is ready."},
	{"SLOW DRIVES", "opc DURATION", "Calibration of the laser."},
	{"SLOW DRIVES", "close DURATION", "Closing a track or session."},
	{"SLOW DRIVES", "format DURATION", "Formatting, unless it goes on while the disc is written."},
	{"SLOW DRIVES", "blank DURATION", "Blanking."},
}

// faultIntro is what stands before the words of each section.
var faultIntro = map[string]string{
	"COMMANDS":    "A rule is a command, which of them are meant, a colon and a fault: COMMAND [at BLOCK[-BLOCK]] [N | from N | every N | chance P%] : FAULT. Every rule counts the commands that its words before the number choose; when several rules choose a command, the first one in the plan counts.",
	"FAULTS":      "Behind the colon stands one of these. Durations are written like 120ms, 30s or 5m.",
	"SLOW DRIVES": "The word slow is followed by pairs of",
}

// faultPage is burnfs-fault(5).
func faultPage() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%% \"BURNFS-FAULT\" \"5\" \"%s\" \"burnfs\" \"burnfs\"\n", edition.Format("Jan 2006"))
	b.WriteString("# NAME\nburnfs-fault - plans of what goes wrong with an emulated disc\n\n# DESCRIPTION\n" +
		"'burnfs mount --fault FILE' and 'burnfs burn --fault FILE' let things go wrong as FILE says, to see what happens, to your files above all. " +
		"This is for emulated discs and ISO files; a real drive is refused. Every fault is written to the log when it happens, and 'burnfs status' counts them. " +
		"The tests of burnfs use the same plans.\n\n" +
		"The file has one rule in a line; # begins a comment. For example:\n\n")
	for line := range strings.Lines(FaultExample) {
		b.WriteString("    " + line)
	}
	for i, w := range faultWords {
		if i == 0 || faultWords[i-1].section != w.section {
			fmt.Fprintf(&b, "\n# %s\n%s\n\n", w.section, markdown(faultIntro[w.section]))
		}
		fmt.Fprintf(&b, "**%s**\n:   %s\n\n", markdown(w.word), markdown(w.text))
	}
	b.WriteString("\n# SEED\nThe line **seed NUMBER** makes chance repeatable. Without it one is chosen; the log tells it when the disc is mounted.\n\n" +
		"# SEE ALSO\n**burnfs-mount(1)**, **burnfs-burn(1)**\n")
	return md2man.Render([]byte(b.String()))
}
