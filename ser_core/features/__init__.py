"""What a clip sounds like, in numbers: the study's 180 (`study`), loudness and pitch (`prosody`), tables on disk
(`store`), spectrograms to look at (`spectrogram`) and as pictures for image models (`images`)."""
