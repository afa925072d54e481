# The app in a container (docs/hosting.md): it predicts and shows everything, and trains nothing.
# Build it with   docker build -t ser .
# Start it with   docker run --read-only --tmpfs /tmp --memory 1g -p 127.0.0.1:8501:8501 ser
FROM python:3.11-slim

RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*

WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt

# librosa compiles some of its functions when they are first imported, which takes 15 seconds and 300 MB of memory.
RUN NUMBA_CACHE_DIR=/opt/numba python -c "from librosa.core import *; from librosa.effects import *; \
    from librosa.feature import *; from librosa.util import *"

# What .dockerignore lets through. It belongs to root, so the app cannot change itself. It is compiled here, since no
# bytecode can be kept while the root is read-only.
COPY . .
RUN python -m compileall -q app.py router.py pages ser_core

# Hugging Face Spaces run everything as user 1000, too. With SER_READ_ONLY=0 or SER_CLASSES=1, /workspace is written:
# mount a volume there to keep it.
RUN useradd --uid 1000 --create-home ser && install -d -o ser -g ser /workspace
USER ser

# The last four: freed memory goes back to the machine (684 MB in place of 760 when all pages were shown).
ENV SER_READ_ONLY=1 \
    SER_WORKSPACE=/workspace \
    STREAMLIT_SERVER_ADDRESS=0.0.0.0 \
    STREAMLIT_SERVER_PORT=8501 \
    STREAMLIT_BROWSER_SERVER_ADDRESS=localhost \
    NUMBA_CACHE_DIR=/tmp/numba \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MALLOC_ARENA_MAX=2 \
    MALLOC_MMAP_THRESHOLD_=131072 \
    MALLOC_TRIM_THRESHOLD_=131072 \
    ARROW_DEFAULT_MEMORY_POOL=system

EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["python", "-c", \
    "import os, urllib.request as r; r.urlopen('http://localhost:' + os.environ['STREAMLIT_SERVER_PORT'] + '/_stcore/health')"]
# Numba uses what is compiled only where it could write.
CMD ["sh", "-c", "cp -r /opt/numba /tmp/ && exec streamlit run app.py"]
