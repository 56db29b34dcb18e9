"""How well barge-in tells who wants the floor: hundreds of sounds of a caller, played at an agent who is speaking.

    python -m benchmarks.selectivity            # all of it: twenty minutes of CPU, prints the table and the picture
    python -m benchmarks.selectivity --quick    # a tenth of the clips, clean and at 10 dB

The corpus is made by script from a fixed seed and is not kept in the repository. It needs the voices of the plugins
kokoro, piper and pico, and two packages of recordings: `apt install asterisk-core-sounds-en-wav asterisk-core-sounds-en
sound-theme-freedesktop sox`. What is missing is named, and left out.
"""
