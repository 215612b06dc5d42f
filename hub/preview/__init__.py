"""What a person sees and hears of a score: notation, piano roll, sound. One library, one file."""
